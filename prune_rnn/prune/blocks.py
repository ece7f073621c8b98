"""Block pruning: rectangles of weights go together, so that the sparse product is fast on every CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prune_rnn.config.option import option
from prune_rnn.prune import keep
from prune_rnn.prune.cubic import Cubic
from prune_rnn.prune.keep import Kept
from prune_rnn.prune.score import Candidate
from prune_rnn.usage import within


@dataclass(kw_only=True, slots=True)
class Blocks(Cubic):
    """Prunes blocks of `rows` x `columns` weights, each layer type to a sparsity that rises by a cubic curve.

    A block's score is its largest |w|, as in Narang, Undersander & Diamos 2017 ("Block-Sparse Recurrent Neural
    Networks"). They prune blocks under a rising threshold of slope theta_block = theta N^(1/4) for N weights a block;
    here the sparsity is stated, and no threshold is needed. 16 x 1 is the block of the engine's fastest format.
    """

    threshold: ClassVar[bool] = False
    method: str = option("its name; not to be set: give prune=blocks", "blocks")
    rows: int = option("rows of a block, within a gate (the engine's blocks have 16)", 16)
    columns: int = option("columns of a block (the engine's blocks have 1)", 1)

    def check(self, epochs: int) -> None:
        Cubic.check(self, epochs)
        within("prune.rows", self.rows, 1, 1024)
        within("prune.columns", self.columns, 1, 1024)

    @property
    def grain(self) -> int:
        return self.rows * self.columns

    def keep(self, candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
        return keep.in_blocks(candidates, scores, amount, self.rows, self.columns)
