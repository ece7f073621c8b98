"""Which weights stay: tensors in, masks out (True = kept)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def keep_from(weight: Tensor, threshold: float) -> Tensor:
    """Returns the mask that keeps the weights of magnitude `threshold` or more, same shape as `weight`, bool."""
    return weight.abs() >= threshold


def sparsity(masks: Sequence[Tensor]) -> float:
    """Returns pruned / all over all masks, in [0, 1]."""
    return 1 - sum(int(mask.count_nonzero()) for mask in masks) / sum(mask.numel() for mask in masks)


def magnitude_quantile(weights: Sequence[Tensor], fraction: float) -> float:
    """Returns the least magnitude that at least `fraction` of the weights, pooled, do not exceed; 0 < fraction < 1.

    Of magnitudes, never of signed values. Without ties, keeping the weights of more than this magnitude prunes
    ceil(fraction * n) of them.

    >>> magnitude_quantile([torch.tensor([1.0, -4.0]), torch.tensor([-2.0, 3.0])], 0.5)
    2.0
    """
    pooled = torch.cat([weight.detach().abs().flatten() for weight in weights])
    return float(pooled.kthvalue(to_prune(fraction, len(pooled))).values)


def to_prune(fraction: float, count: int) -> int:
    """Returns how many of so many weights go at a sparsity of `fraction`, above 0: one at least.

    >>> to_prune(0.07, 100), to_prune(0.071, 100), to_prune(0.001, 100)
    (7, 8, 1)
    """
    rank = math.ceil(fraction * count - 1e-6)  # 0.07 * 100 is 7.000000000000001
    return min(max(rank, 1), count)


def next_above(magnitude: float) -> float:
    """Returns the next float32 above: the threshold by which weights of exactly this magnitude go too."""
    return float(torch.nextafter(torch.tensor(magnitude), torch.tensor(torch.inf)))


def at_magnitude(weights: Sequence[Tensor], amount: float, last: bool) -> float:
    """Returns the amount itself: it is the threshold."""
    return amount


def at_sparsity(weights: Sequence[Tensor], amount: float, last: bool) -> float:
    """Returns the threshold that prunes the fraction `amount` of the weights, pooled, to one weight; 0 <= amount < 1.

    >>> at_sparsity([torch.tensor([1.0, -4.0, 2.0, 3.0])], 0.5, False)
    2.000000238418579
    """
    return next_above(magnitude_quantile(weights, amount)) if amount > 0 else 0.0
