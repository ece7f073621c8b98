"""Rows of a table against rows that are not their baseline: what the claims about size and order rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prune_rnn.analyse.comparison import Heard, versus
from prune_rnn.analyse.interval import Interval, Spread
from prune_rnn.analyse.rows import Row


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows, and the first against the second."""

    row: Row
    other: Row
    relative: float
    interval: Interval | None


def compare_pairs(
    rows: Sequence[Row], pairs: Sequence[Sequence[str]], edits: Heard, spread: Spread | None
) -> tuple[list[Pair], list[str]]:
    """Returns the pairs, given by their labels, that both have runs, and why one has no interval."""
    named = {row.label: row for row in rows}
    found, notes = [], []
    for label, other_label in pairs:
        against = versus(named[label], named[other_label], edits, spread)
        if against.relative is None:
            continue
        found.append(Pair(named[label], named[other_label], against.relative, against.interval))
        if against.problem:
            notes.append(f"{label} against {other_label}: no interval, because {against.problem}.")
    return found, notes
