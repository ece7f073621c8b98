"""The outcomes of a sweep's jobs, and the table of them at its end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import shorten

from tabulate import tabulate

from prune_rnn import files
from prune_rnn.typed import typed
from prune_rnn.values import from_json

_NAME = "outcome.json"
_REASON = 60  # characters of a failure in the table; the whole message stands above


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one job: its run's numbers as printed, or why it failed ("" where it did not).

    dev_cer: a fraction, which a sweeper such as Optuna's minimises; None of a failed job.
    """

    cer: str = ""
    sparsity: str = ""
    minutes: str = ""
    failed: str = ""
    dev_cer: float | None = None

    def __float__(self) -> float:
        """Returns the dev CER; ValueError, from which a sweeper knows that the job failed."""
        if self.dev_cer is None:
            raise ValueError(self.failed)
        return self.dev_cer


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a sweep: its overrides and its outcome."""

    overrides: list[str]
    outcome: Outcome

    def save(self, folder: Path) -> None:
        """Writes the job to its folder of logs, so that other processes can read it."""
        files.write_atomically(folder / _NAME, json.dumps(asdict(self)).encode())


def saved(folder: Path) -> list[Job]:
    """Returns the ended jobs of a sweep, in order. folder: of the sweep's logs."""
    found = sorted(folder.glob(f"*/{_NAME}"), key=lambda file: (len(file.parent.name), file.parent.name))
    return [typed(Job, from_json(files.read(file, files.VALUES).decode())) for file in found]


def table(jobs: Sequence[tuple[str, Outcome]]) -> str:
    """Returns a line per job: its own overrides, and its run's numbers or the beginning of its failure.

    >>> fine, failed = Outcome(cer="25.00", sparsity="88.6", minutes="7.1"), Outcome(failed="no")
    >>> print(table([("seed=0", fine), ("seed=1", failed)]))
    job       test CER %    sparsity %    minutes
    ------  ------------  ------------  ---------  ----------
    seed=0         25.00          88.6        7.1
    seed=1                                         failed: no
    """
    rows = [
        [job, of.cer, of.sparsity, of.minutes, of.failed and f"failed: {shorten(of.failed, _REASON)}"]
        for job, of in jobs
    ]
    align, head = ["left", "right", "right", "right", "left"], ["job", "test CER %", "sparsity %", "minutes", ""]
    if not any(of.failed for _, of in jobs):
        rows, align, head = [row[:-1] for row in rows], align[:-1], head[:-1]
    text = tabulate(rows, head, disable_numparse=True, colalign=align)
    return "\n".join(line.rstrip() for line in text.splitlines())
