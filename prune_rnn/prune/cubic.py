"""Zhu & Gupta's schedule (2017, "To prune, or not to prune"): the sparsity rises by a cubic curve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from prune_rnn.config.option import option
from prune_rnn.prune.base import Pruning
from prune_rnn.prune.masker import Rule
from prune_rnn.prune.schedule import CubicCurve


@dataclass(kw_only=True, slots=True)
class Cubic(Pruning):
    """Prunes each layer type to a sparsity that rises from 0 to the goal, fast at first and slowly at last."""

    curve: ClassVar[type[CubicCurve]] = CubicCurve
    method: str = option("its name; not to be set: give prune=cubic", "cubic")
    start_epoch: float = option("epochs done when pruning starts")
    end_epoch: float = option("epochs done when the goal is reached")
    updates_per_epoch: float = option("how often the masks are recomputed, per epoch", 27.0)

    def check(self, epochs: int) -> None:
        Pruning.check(self, epochs)
        if not 0 <= self.start_epoch < self.end_epoch <= epochs:
            raise ValueError(
                f"prune.start_epoch={self.start_epoch}, prune.end_epoch={self.end_epoch}: must be 0 or more, in rising "
                f"order, and at most train.epochs={epochs}"
            )
        if not 0 < self.updates_per_epoch < float("inf"):
            raise ValueError(f"prune.updates_per_epoch={self.updates_per_epoch}: must be above 0")

    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        start, end = round(self.start_epoch * steps_per_epoch), round(self.end_epoch * steps_per_epoch)
        if start == end:
            raise ValueError(
                f"prune.start_epoch={self.start_epoch} and prune.end_epoch={self.end_epoch} fall on the same step "
                f"(steps per epoch: {steps_per_epoch}); train for more epochs or on more data"
            )
        freq = max(1, round(steps_per_epoch / self.updates_per_epoch))
        curve = self.curve(start_step=start, end_step=end, freq=freq, sparsity=self.share)
        return self.rule_of_each(layer_types, curve)

    def phase(self) -> tuple[float, float]:
        return self.start_epoch, self.end_epoch
