"""A stage of the check on a CUDA device: what it does, how long it may take, and what it leaves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from tabulate import tabulate

from prune_rnn.files import write_atomically
from prune_rnn.typed import Plain

DRY = "DRY RUN on a CPU: no number here is a GPU's"
MARK = {"dry run": "CPU, tiny"}  # stands in every row of a dry run
FAILED = "failed"  # a row with this key makes its stage fail; its value says why


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. seconds: its budget, after which it is stopped. note: what the columns of its table mean.

    rows: "module:function". The function takes `dry` (bool: on the CPU, tiny) and the folder of the results, and yields
    the stage's rows, each a dict from column to value. Lists are kept in the JSON file and shown nowhere.
    """

    number: int
    title: str
    seconds: float
    rows: str
    note: str = ""


class State(Enum):
    """How a stage ended."""

    passed = "passed"
    failed = "FAILED"
    stopped = "STOPPED at its budget"


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What a stage leaves. machine: device and versions, by name. rows: all that were ready when it ended."""

    number: int
    title: str
    note: str
    dry_run: bool
    state: State
    reason: str  # why it failed or was stopped; "": it passed
    seconds: float
    budget_seconds: float
    machine: dict[str, str] = field(default_factory=dict)
    rows: list[Plain] = field(default_factory=list)

    def markdown(self) -> str:
        """Returns the stage's page."""
        lines = [f"# Stage {self.number}: {self.title}", f"**{self.verdict()}**"]
        if self.dry_run:
            lines.insert(1, f"**{DRY}.**")
        lines.append(", ".join(f"{name} {value}" for name, value in self.machine.items()))
        return "\n\n".join(filter(None, [*lines, self.note, table(self.rows)])) + "\n"

    def verdict(self) -> str:
        """Returns in a line how it ended, and after how long."""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.state.value} after {self.seconds:.0f} s of {self.budget_seconds:.0f} s{reason}"

    def write(self, folder: Path) -> Path:
        """Writes JSON and Markdown to the folder, and returns the latter's path. A dry run's have their own names."""
        path = stem(folder, self.number, self.dry_run).with_suffix(".md")
        plain = asdict(self) | {"state": self.state.name}
        write_atomically(path.with_suffix(".json"), (json.dumps(plain, indent=1) + "\n").encode())
        write_atomically(path, self.markdown().encode())
        return path


def stem(folder: Path, number: int, dry: bool) -> Path:
    """Returns the path of a stage's files, without suffix."""
    return folder / f"{'dry-run-' if dry else ''}stage{number}"


def table(rows: list[Plain]) -> str:
    """Returns rows as Markdown; columns stand in the order of their first use, and what a row lacks is a dash.

    >>> print(table([{"network": "a", "seconds": 0.12345, "curve": [1, 2]}, {"network": "b", "memory": None}]))
    | network   | seconds   | memory   |
    |-----------|-----------|----------|
    | a         | 0.1235    | -        |
    | b         | -         | -        |
    """
    if not rows:
        return "No result was ready."
    columns = list(dict.fromkeys(key for row in rows for key, value in row.items() if not isinstance(value, list)))
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    return tabulate(cells, columns, tablefmt="github", disable_numparse=True)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "-" if value is None else str(value).replace("|", "/")
