"""A finished run as the tables and figures read it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from prune_rnn import paths
from prune_rnn.analyse import hypotheses
from prune_rnn.run.record import Recorded, Result, in_order
from prune_rnn.run.store import Run, usable


@dataclass(frozen=True, slots=True)
class Finished:
    """One run with its configuration and result, as `Run` reads them."""

    folder: Path
    config: Recorded
    result: Result

    @property
    def name(self) -> str:
        """The folder's name, `<name>-<digest>`."""
        return self.folder.name

    @property
    def seed(self) -> int:
        """Of initialisation and data order."""
        return self.result.seed

    @property
    def cer(self) -> float:
        """Of the test split, a fraction."""
        return self.result.test.cer.rate

    @property
    def precision(self) -> str:
        """Of the products in training, in words: the result's, or the configuration's where the result has none."""
        return in_order(self.result.precision or self.config.train.precision.identity)

    def edits(self) -> hypotheses.Edits | None:
        """Returns the edits of each test utterance; None where the run has no hypotheses.

        Raises ValueError where they do not add up to the result's CER.
        """
        utterances = hypotheses.read(self.folder)
        if utterances is None:
            return None
        edits = hypotheses.edits(utterances)
        cer = self.result.test.cer
        stated = (cer.insertions + cer.deletions + cer.substitutions, cer.length)
        counted = (int(edits.counts.sum()), int(edits.lengths.sum()))
        if counted != stated:
            raise ValueError(
                f"{self.folder / paths.HYPOTHESES} has {counted[0]} edits in {counted[1]} characters, "
                f"{paths.RESULT} {stated[0]} in {stated[1]}: they are not from the same run; delete {self.folder} "
                "and train again"
            )
        return edits

    def history(self) -> pd.DataFrame:
        """Returns one row per epoch; ValueError where the file is missing or damaged."""
        path = self.folder / paths.HISTORY
        try:
            history = pd.read_csv(io.StringIO(Run(self.folder).text(paths.HISTORY)))
            if history.empty or not {"epoch", "step", "train_loss", "dev_loss"} <= set(history):
                raise ValueError("it lacks rows or columns")
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} is missing or damaged ({error}); delete {self.folder} and train again") from None
        return history


def whole(runs: Iterable[Run]) -> list[Finished]:
    """Returns the finished runs whose files can all be read, and warns once of each other run."""

    def check(run: Run) -> None:
        run.check()
        read(run).history()
        hypotheses.read(run.folder)

    return [read(run) for run in runs if usable(run, partial(check, run))]


def read(run: Run) -> Finished:
    """Returns a finished run as its folder has it; ValueError where it is damaged."""
    return Finished(run.folder, run.config(), run.result())
