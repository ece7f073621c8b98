"""Rows of Table 3 against rows that are not their baseline: what the claims about size and order rest on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import yaml

from prune_rnn import paths
from prune_rnn.table.bootstrap import Interval
from prune_rnn.table.comparison import Heard, relative, versus
from prune_rnn.table.rows import Row
from prune_rnn.table.table3 import between


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows, and the first against the second."""

    row: Row
    other: Row
    relative: float
    interval: Interval | None


def compare_pairs(rows: Sequence[Row], edits: Heard) -> tuple[list[Pair], list[str]]:
    """Returns the pairs of conf/table/table3.yaml that have a seed in common, and why one has no interval."""
    named = {row.label: row for row in rows}
    found, notes = [], []
    for label, other_label in yaml.safe_load((paths.conf() / "table" / "table3.yaml").read_text())["pairs"]:
        against = versus(named[label], named[other_label], edits)
        if against.relative is None:
            continue
        found.append(Pair(named[label], named[other_label], against.relative, against.interval))
        if against.problem:
            notes.append(f"{label} against {other_label}: no interval, because {against.problem}.")
    return found, notes


def printed(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Returns the pairs as printed, every cell a string."""
    cells = []
    for pair in pairs:
        both = (pair.row.paper, pair.other.paper)
        paper = f"{100 * relative(both[1]['cer'], both[0]['cer']):+.1f}" if all(both) else "-"
        cells.append(
            {
                "Model": pair.row.label,
                "Not zero": _nonzero(pair.row),
                "Against": pair.other.label,
                "Its not zero": _nonzero(pair.other),
                "Relative %": f"{100 * pair.relative:+.1f}",
                "95 % interval": between(pair.interval, "+.1f"),
                "Paper's relative %": paper,
            }
        )
    return pd.DataFrame(cells)


def _nonzero(row: Row) -> str:
    return f"{statistics.mean(run.result.nonzero for run in row.runs):,.0f}"
