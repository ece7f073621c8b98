"""Numbers of masks and scores: how sparse, how many, from which score on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def sparsity(masks: Sequence[Tensor]) -> float:
    """Returns pruned / all over all masks (True = kept), in [0, 1]."""
    return 1 - sum(int(mask.count_nonzero()) for mask in masks) / sum(mask.numel() for mask in masks)


def quantile(scores: Sequence[Tensor], fraction: float) -> float:
    """Returns the smallest pooled score s such that at least `fraction` of the scores are <= s; 0 < fraction < 1.

    Without ties, keeping the scores above s prunes ceil(fraction * n) weights.

    >>> quantile([torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0])], 0.5)
    2.0
    """
    pooled = torch.cat([score.flatten() for score in scores])
    return float(pooled.kthvalue(to_prune(fraction, len(pooled))).values)


def magnitude_quantile(weights: Sequence[Tensor], fraction: float) -> float:
    """Returns the quantile of magnitudes, never of signed values.

    >>> magnitude_quantile([torch.tensor([1.0, -4.0]), torch.tensor([-2.0, 3.0])], 0.5)
    2.0
    """
    return quantile([weight.detach().abs() for weight in weights], fraction)


def to_prune(fraction: float, count: int) -> int:
    """Returns how many of so many weights go at a sparsity of `fraction`, above 0: one at least.

    >>> to_prune(0.07, 100), to_prune(0.071, 100), to_prune(0.001, 100)
    (7, 8, 1)
    """
    rank = math.ceil(fraction * count - 1e-6)  # 0.07 * 100 is 7.000000000000001
    return min(max(rank, 1), count)


def next_above(score: float, dtype: torch.dtype = torch.float32) -> float:
    """Returns the next number of the type: as a threshold it prunes weights of exactly this score too."""
    return float(torch.nextafter(torch.tensor(score, dtype=dtype), torch.tensor(torch.inf, dtype=dtype)))
