"""No pruning: the dense baseline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from prune_rnn.config.option import option
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.prune.base import Method, Surroundings
from prune_rnn.prune.masker import Rule
from prune_rnn.prune.select import Weights


@dataclass(kw_only=True, slots=True)
class Dense(Method):
    """Trains the network dense."""

    method: str = option("its name; not to be set: give prune=none", "none")

    @property
    def prunes(self) -> bool:
        """Never."""
        return False

    def check(self, epochs: int) -> None:
        """Nothing can be out of range."""

    def complete(self, model: ModelConfig) -> None:
        """There is nothing to fill in."""

    def resolve(self, around: Surroundings) -> str:
        """There is no q."""
        return ""

    def weights(self, model: nn.Module) -> Weights:
        """Returns none."""
        return {}

    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        """Returns none."""
        return []

    def phase(self) -> None:
        """There is none."""

    def goal(self, q_source: str) -> str:
        """There is none."""
        return ""
