"""No pruning: the dense baseline."""

from __future__ import annotations

from dataclasses import dataclass

from prune_rnn.prune.masker import Masker


@dataclass(kw_only=True, slots=True)
class NoneConfig:
    """Trains the network dense."""

    method: str = "none"

    def check(self) -> None:
        """Nothing can be out of range."""


class NoMasker(Masker):
    """Holds no masks and is always done."""

    def __init__(self) -> None:
        super().__init__({})

    def done(self, step: int) -> bool:
        """True from the beginning."""
        return True

    def _update(self, step: int) -> None:
        pass
