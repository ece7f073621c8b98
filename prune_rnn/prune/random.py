"""Random pruning: the control that every other method has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prune_rnn.config.option import option
from prune_rnn.prune import score
from prune_rnn.prune.cubic import Cubic
from prune_rnn.prune.score import Candidate


@dataclass(kw_only=True, slots=True)
class Random(Cubic):
    """Prunes weights chosen by chance, each layer type to a sparsity that rises by a cubic curve.

    The choice depends on `seed` alone. Source of the comparison: Gale, Elsen & Hooker 2019.
    """

    threshold: ClassVar[bool] = False
    method: str = option("its name; not to be set: give prune=random", "random")

    def score(self, of: Candidate) -> Tensor:
        return score.uniform(of)
