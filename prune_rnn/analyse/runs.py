"""`prune-rnn runs`: a line for each run under results/runs, finished, unfinished or damaged."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from prune_rnn import files, paths
from prune_rnn.printed import one_line
from prune_rnn.run.record import Recorded
from prune_rnn.run.shown import set_otherwise, sparsity
from prune_rnn.run.store import Run
from prune_rnn.usage import FAULTS

_NAME, _CELL = 36, 17  # columns of a run's name, and of its model's and scale's
_HEAD = ("run", "model", "scale", "seed", "test CER %", "sparsity %", "minutes", "state", "set otherwise")


@dataclass(slots=True)
class _Row:
    """One run; what is unknown is empty. Numbers as printed."""

    run: str
    state: str = ""
    model: str = ""
    scale: str = ""
    seed: int | None = None
    cer: str = ""
    sparsity: str = ""
    minutes: str = ""
    besides: str = ""

    def order(self) -> tuple[bool, str, str, int, str]:
        """Sorts by scale, model and seed; runs without a readable configuration come last."""
        return not self.model, self.scale, self.model, self.seed or 0, self.run

    def cells(self) -> list[str]:
        """Returns the cells of the table."""
        names = _shortened(self.run, _NAME), _shortened(self.model, _CELL), _shortened(self.scale, _CELL)
        seed = "" if self.seed is None else self.seed
        return [
            one_line(cell) for cell in (*names, seed, self.cer, self.sparsity, self.minutes, self.state, self.besides)
        ]


def table(results: Path) -> str:
    """Returns the runs under a results folder as a table, by scale, model and seed.

    The last column has the settings that differ from the model's and the scale's, or the damage.
    ValueError where there is no such folder.
    """
    folder = paths.runs(results)
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; train a run first, or give its results folder by --results")
    rows = sorted(map(_row, _runs(folder)), key=_Row.order)
    if not rows:
        return f"{folder} holds no runs"
    text = tabulate(
        [row.cells() for row in rows], _HEAD, tablefmt="simple", disable_numparse=True,
        colalign=("left", "left", "left", *["right"] * 4, "left", "left"),
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in text.splitlines())


def _runs(folder: Path) -> Iterator[Run]:
    for path in folder.iterdir():
        run = Run(path)
        if path.is_dir() and not path.name.startswith(".") and (run.held or not run.empty):
            yield run


def _row(run: Run) -> _Row:
    row = _Row(run.folder.name)
    try:
        if not (run.folder / paths.CONFIG).exists() and run.held:
            row.state = "being trained"  # it reads its data and has written nothing yet
            return row
        config = run.config()
        row.model, row.scale, row.seed = config.model.name, config.scale.name, config.seed
        row.besides = " ".join(set_otherwise(config) + ([] if run.finished else sparsity(config)))
        if run.finished:
            run.check()
            result = run.result()
            row.cer, row.sparsity = f"{100 * result.test.cer.rate:.2f}", f"{100 * result.sparsity:.1f}"
            row.minutes, row.state = f"{result.train_seconds / 60:.1f}", "finished"
            if not paths.has_weights(run.folder):
                row.state = "finished, without weights"
        else:
            _unfinished(run, config, row)
    except FAULTS as error:
        text = " ".join(str(error).replace(f"{run.folder}/", "").split())
        row.state, row.besides = "damaged:", text.partition("; delete")[0]
    return row


def _unfinished(run: Run, config: Recorded, row: _Row) -> None:
    """Sets the row's minutes and state from the epochs in the run's history; ValueError where its result was lost."""
    if paths.has_weights(run.folder) and not (run.begun or run.held):
        raise ValueError(f"{run.folder / paths.RESULT} is missing")
    epoch, seconds = 0, 0.0
    if (path := run.folder / paths.HISTORY).exists():
        try:
            history = list(csv.DictReader(io.StringIO(files.read(path, files.LINES).decode(), newline="")))
            if not history:
                raise ValueError("it has no whole epoch")
            epoch, seconds = int(history[-1]["epoch"]), sum(float(one["seconds"]) for one in history)
        except (OSError, ValueError, KeyError, IndexError, TypeError, csv.Error) as error:
            raise ValueError(f"{path} is damaged ({type(error).__name__}: {error})") from None
    row.minutes = f"{seconds / 60:.1f}"
    of_all = f"{epoch} of {config.train.epochs}"
    row.state = f"being trained, {of_all} epochs done" if run.held else f"cut off at epoch {of_all}"


def _shortened(text: str, width: int) -> str:
    """Returns the text, with an ellipsis in place of its middle where it is longer than `width`: a digest stays.

    >>> _shortened("gru_sparse", 10), _shortened("gru_sparse_wider-0123456789", 20)
    ('gru_sparse', 'gru_sparse…123456789')
    """
    return text if len(text) <= width else f"{text[: width // 2]}…{text[-(width - width // 2 - 1) :]}"
