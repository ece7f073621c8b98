"""A training under way: trainer, history, best weights, and the checkpoint that holds them."""

from __future__ import annotations

from typing import Any

from torch import nn

from prune_rnn import paths
from prune_rnn.run.outcome import history_row
from prune_rnn.run.store import Run
from prune_rnn.speech.scores import Scores
from prune_rnn.train import distributed
from prune_rnn.train.loop import Trainer
from prune_rnn.typed import Plain


class Session:
    """Trainer, history and best weights of one run; saved and restored as one.

    history: a row for each finished epoch. best: epoch, cer and model of the best epoch since pruning ended; empty
    before. processes, precisions: how many processes trained, and the type of their products; an entry for each change.
    """

    def __init__(self, trainer: Trainer, run: Run, digest: str) -> None:
        self.trainer, self.run, self.digest = trainer, run, digest
        self.history: list[Plain] = []
        self.best: Plain = {}
        self.processes = [distributed.world()]
        self.precisions = [trainer.precision.name]

    @property
    def model(self) -> nn.Module:
        """The network, not wrapped."""
        return self.trainer.model

    def state_dict(self) -> Plain:
        """Returns the content of the checkpoint."""
        return {
            "digest": self.digest,
            "trainer": self.trainer.state_dict(),
            "history": self.history,
            "best": self.best,
            "processes": self.processes,
            "precisions": self.precisions,
        }

    def load_state_dict(self, state: Plain) -> None:
        """Restores what `state_dict` returned; a change of processes or precision is added to their lists.

        Raises ValueError where the state is another run's, and one of MISFITS where it is no run's at all.
        """
        if state["digest"] != self.digest:
            raise ValueError(f"it is of the run {state['digest']}")
        history, best = state["history"], state["best"]
        if best:
            self.model.load_state_dict(best["model"])  # whether it fits: the end of the training needs it
        self.trainer.load_state_dict(state["trainer"])
        if len(history) != self.trainer.epoch - 1:
            raise ValueError(f"{len(history)} rows of history in epoch {self.trainer.epoch}")
        self.history, self.best = history, best
        self.processes = _followed(state["processes"], self.processes[-1])
        self.precisions = _followed(state["precisions"], self.precisions[-1])

    def save(self) -> None:
        """Writes the checkpoint, from one process only."""
        if distributed.rank() == 0:
            self.run.save(paths.CHECKPOINT, self.state_dict())

    def end_epoch(self, dev: Scores) -> None:
        """Adds the scores of the finished epoch to the history, moves on to the next epoch, and saves."""
        self.history.append(history_row(self.trainer, dev))
        if self.trainer.masker.done(self.trainer.step) and dev.cer.rate < self.best.get("cer", float("inf")):
            weights = {name: value.detach().cpu().clone() for name, value in self.trainer.tested.state_dict().items()}
            self.best = {"epoch": self.trainer.epoch, "cer": dev.cer.rate, "model": weights}
        self.trainer.next_epoch()
        if distributed.rank() == 0:
            self.run.write_history(self.history)
        self.save()


def _followed(before: list[Any], now: object) -> list[Any]:
    return before if before[-1:] == [now] else [*before, now]
