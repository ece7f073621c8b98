"""Hard pruning: everything at once, at one epoch. Paper, section 4.3 and Table 4; the idea is Yu et al. 2012's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prune_rnn.config.option import option
from prune_rnn.prune.base import Pruning, Surroundings
from prune_rnn.prune.masker import Rule
from prune_rnn.prune.schedule import Once
from prune_rnn.usage import UsageError


@dataclass(kw_only=True, slots=True)
class Hard(Pruning):
    """Prunes once, to a stated sparsity or parameter count; one threshold for each layer type.

    From a trained dense network (`init`), at epoch 0, this is the method of Han et al. 2015: train, prune, retrain. A
    further round starts from the run before, at a higher sparsity.
    """

    method: str = option("its name; not to be set: give prune=hard", "hard")
    epoch: float = option("epochs done when it prunes (the paper: 5 to 15 of 20); 0: after the first step")
    parameters: int | None = option("parameters to be left in the network, instead of prune.sparsity", None)

    def stated(self) -> list[str]:
        return Pruning.stated(self) + ([] if self.parameters is None else [f"prune.parameters={self.parameters}"])

    def check(self, epochs: int) -> None:
        Pruning.check(self, epochs)
        if not 0 <= self.epoch < epochs:
            raise ValueError(
                f"prune.epoch={self.epoch}: must be 0 or more and below train.epochs={epochs}, so that training goes on"
            )

    def resolve(self, around: Surroundings) -> str:
        """Turns the parameter count into a sparsity, and that into one of the weights that are pruned."""
        if self.parameters is not None:
            model = around.network()
            every = sum(p.numel() for p in model.parameters())
            rest = every - sum(p.numel() for group in self.weights(model).values() for p in group.values())
            if not rest < self.parameters < every:
                raise UsageError(
                    f"prune.parameters={self.parameters}: must lie between {rest:,}, which can't be pruned, and the "
                    f"network's {every:,}"
                )
            self.sparsity, self.parameters = 1 - self.parameters / every, None
        return Pruning.resolve(self, around)

    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        once = Once(max(1, round(self.epoch * steps_per_epoch)), self.share)
        return self.rule_of_each(layer_types, once)

    def phase(self) -> tuple[float, float]:
        return self.epoch, self.epoch
