"""Saliency: a weight goes where the loss hardly changes without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from prune_rnn.config.option import option
from prune_rnn.prune import score
from prune_rnn.prune.cubic import Cubic
from prune_rnn.prune.score import Candidate


@dataclass(kw_only=True, slots=True)
class Saliency(Cubic):
    """Prunes each layer type by |w dL/dw| of one batch, to a sparsity that rises by a cubic curve.

    Source: Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning".
    """

    gradients: ClassVar[bool] = True
    threshold: ClassVar[bool] = False  # none on |w|
    method: str = option("its name; not to be set: give prune=saliency", "saliency")

    def score(self, of: Candidate) -> Tensor:
        return score.saliency(of)
