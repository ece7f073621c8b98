"""Keeps: scores in, masks out (True = kept).

A keep takes the candidates, their scores (same shapes), the schedule's amount, and whether this is the last update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.prune.mask import next_above, quantile, to_prune
from prune_rnn.prune.score import Candidate

_SLACK = 1e-6  # 0.3 * 10 is 3.0000000000000004


class Kept(NamedTuple):
    """masks: of each candidate, True = kept. threshold: the score from which on weights stay; None: there is none."""

    masks: list[Tensor]
    threshold: float | None = None


Keep = Callable[[Sequence[Candidate], Sequence[Tensor], float, bool], Kept]


def at_threshold(candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
    """Keeps scores of `amount` or more: the amount is the threshold."""
    return Kept([score >= amount for score in scores], amount)


def at_sparsity(candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
    """Prunes the fraction `amount` of all weights, to one weight; 0 <= amount < 1. Equal scores go together."""
    threshold = next_above(quantile(scores, amount), scores[0].dtype) if amount > 0 else 0.0
    return at_threshold(candidates, scores, threshold, last)


def in_blocks(
    candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, rows: int, columns: int
) -> Kept:
    """Prunes whole blocks of rows x columns until the fraction `amount` of all weights is reached, to one block.

    A block's score is its highest. Blocks don't cross from one gate to the next; those at a gate's last rows and at the
    last columns are smaller. Scores are 0 or more; of equal ones, blocks that are pruned already go first.
    """
    found, sizes = [], []
    for candidate, score in zip(candidates, scores, strict=True):
        highest = _blocks(score, candidate.gates, rows, columns).amax((2, 4))
        kept = _blocks(candidate.mask.to(score.dtype), candidate.gates, rows, columns).amax((2, 4)) > 0
        found.append(torch.where(kept, highest, -1.0))
        sizes.append(_blocks(torch.ones_like(score), candidate.gates, rows, columns).sum((2, 4)))
    order = torch.cat([each.flatten() for each in found]).argsort(stable=True)
    size = torch.cat([each.flatten() for each in sizes]).long()
    before = size[order].cumsum(0) - size[order]  # weights in the blocks that go before this one
    goal = to_prune(amount, int(size.sum())) if amount > 0 else 0
    stays = torch.empty_like(order, dtype=torch.bool)
    stays[order] = before >= goal
    masks = []
    parts = stays.split([each.numel() for each in found])
    for candidate, part, each in zip(candidates, parts, found, strict=True):
        units = len(candidate.value) // candidate.gates
        wide = part.view(each.shape).repeat_interleave(rows, 1).repeat_interleave(columns, 2)
        flat = wide[:, :units, : candidate.value[0].numel()]
        masks.append(flat.reshape(candidate.value.shape).clone())
    return Kept(masks)


def _blocks(values: Tensor, gates: int, rows: int, columns: int) -> Tensor:
    """Returns (gate, block of rows, row, block of columns, column); the last blocks are filled up with zeros."""
    by_gate = values.reshape(gates, len(values) // gates, -1)
    units, width = by_gate.shape[1:]
    filled = F.pad(by_gate, (0, -width % columns, 0, -units % rows))
    return filled.view(gates, filled.shape[1] // rows, rows, filled.shape[2] // columns, columns)


def of_groups(candidates: Sequence[Candidate], scores: Sequence[Tensor], kept: int, group: int) -> Kept:
    """Keeps the `kept` highest scores of each `group` neighbouring columns of a row; fewer columns at the end likewise.

    Scores are 0 or more. Of equal ones those stay that were kept before, then those further to the left.
    """
    masks = []
    for candidate, score in zip(candidates, scores, strict=True):
        flat = torch.where(candidate.mask, score, -1.0).flatten(1)
        width = flat.shape[1]
        groups = F.pad(flat, (0, -width % group), value=-2.0).view(len(flat), -1, group)
        rank = groups.argsort(stable=True, dim=2, descending=True).argsort(dim=2)
        masks.append((rank < kept).flatten(1)[:, :width].reshape(candidate.value.shape).clone())
    return Kept(masks)


def pruned_of_groups(shape: Sequence[int], kept: int, group: int) -> int:
    """Returns how many weights of a matrix of this shape (rows, ...) `of_groups` prunes.

    >>> pruned_of_groups((3, 8), kept=2, group=4), pruned_of_groups((3, 7), kept=2, group=4)
    (12, 9)
    """
    width = torch.Size(shape[1:]).numel()
    return shape[0] * (width // group * (group - kept) + max(0, width % group - kept))


def share_of_group(amount: float, goal: float, pruned: int) -> int:
    """Returns how many weights of a group go at `amount`, of the `pruned` that go at `goal`: rounded down.

    >>> [share_of_group(amount, goal=0.5, pruned=2) for amount in (0.2, 0.25, 0.49, 0.5)]
    [0, 1, 1, 2]
    """
    return int(pruned * amount / goal + _SLACK)
