"""Fine-tuning a pruned network: the masks that it has stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from prune_rnn.config.option import option
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.prune.base import Method, Surroundings, check_layers
from prune_rnn.prune.select import Weights, select


@dataclass(kw_only=True, slots=True)
class Fixed(Method):
    """Keeps at zero what is zero in the network that training starts from (`init`); prunes nothing more."""

    method: str = option("its name; not to be set: give prune=fixed", "fixed")
    layers: Any = option("layer type -> patterns of parameter names; null: model.prunable", None)

    @property
    def starts_sparse(self) -> bool:
        return True

    def check(self, epochs: int) -> None:
        check_layers(self.layers)

    def complete(self, model: ModelConfig) -> None:
        if self.layers is None:
            self.layers = model.prunable

    def resolve(self, around: Surroundings) -> str:
        self.weights(around.network())  # refuses patterns that match nothing, before any work is done
        return ""

    def weights(self, model: nn.Module) -> Weights:
        return select(model, self.layers)

    def phase(self) -> tuple[float, float]:
        return 0.0, 0.0

    def goal(self, q_source: str) -> str:
        return "what is zero at the start stays zero"
