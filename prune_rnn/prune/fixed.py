"""Fine-tuning a pruned network: the masks that it has stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from prune_rnn.config.option import option
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.prune.base import Method, Surroundings, check_layers
from prune_rnn.prune.masker import Rule
from prune_rnn.prune.select import Weights, select


@dataclass(kw_only=True, slots=True)
class Fixed(Method):
    """Keeps at zero what is zero in the network that training starts from (`init`); prunes nothing more."""

    method: str = option("its name; not to be set: give prune=fixed", "fixed")
    layers: Any = option("layer type -> patterns of parameter names; null: model.prunable", None)

    @property
    def starts_sparse(self) -> bool:
        """Always."""
        return True

    def check(self, epochs: int) -> None:
        """Checks the layers."""
        check_layers(self.layers)

    def complete(self, model: ModelConfig) -> None:
        """Takes the weights from the model."""
        if self.layers is None:
            self.layers = model.prunable

    def resolve(self, around: Surroundings) -> str:
        """Refuses patterns that match nothing; there is no q."""
        self.weights(around.network())
        return ""

    def weights(self, model: nn.Module) -> Weights:
        """Returns those that `layers` names."""
        return select(model, self.layers)

    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        """Returns none: the masks never change."""
        return []

    def phase(self) -> tuple[float, float]:
        """Returns the start, twice."""
        return 0.0, 0.0

    def goal(self, q_source: str) -> str:
        """Returns what stays zero."""
        return "what is zero at the start stays zero"
