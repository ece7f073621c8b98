"""Rows of a table against each other, beside what the paper says of them: what every claim rests on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from prune_rnn.analyse.agreement import unlike
from prune_rnn.analyse.comparison import relative
from prune_rnn.analyse.interval import Interval
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.pairs import Pair, compare_pairs
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import NOTE_SPEAKERS_ONLY, between, percent

_HOW = (
    "Relative: (CER of the second - CER of the first) / CER of the second; above zero the first is better. Seeds: of "
    "the first and of the second. Beside the paper: it agrees where the paper's value lies in the interval; else "
    "whether the direction is the same. No difference is shown where the interval includes zero."
)


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table of a layout's `pairs`; its rows are the networks that they name."""
    rows = library.rows(layout.rows)
    found, notes = compare_pairs(rows, layout.pairs, library.heard(rows), library.spread(rows))
    speakers_only = any(pair.interval and not pair.interval.over_seeds for pair in found)
    apart = [text for pair in found if (text := unlike(pair.row, pair.other))]
    notes = [*([NOTE_SPEAKERS_ONLY] if speakers_only else []), *notes, *apart]
    missing = [(row.label, row.command) for row in rows if not row.runs]
    scale = library.shared.scale.name
    return [table(name, f"{layout.title or name} at scale={scale}", found, notes, missing, caption=layout.caption)]


def table(
    name: str,
    title: str,
    found: Sequence[Pair],
    notes: Sequence[str] = (),
    missing: Sequence[tuple[str, str]] = (),
    *,
    caption: str = "",
) -> Table:
    """Returns the pairs as a table, a row each."""
    caption = f"{caption} {_HOW}".strip()
    return Table(
        name=name, title=title, caption=caption, rows=[_row(pair) for pair in found], notes=notes, missing=missing
    )


def _row(pair: Pair) -> dict[str, str]:
    paper, first, second = _paper(pair), len(pair.row.runs), len(pair.other.runs)
    return {
        "Network": Cell(pair.row.label, network=pair.row.label),
        "Not zero": number(_nonzero(pair.row), ",.0f", "nonzero"),
        "Against": Cell(pair.other.label, against=pair.other.label),
        "Its not zero": number(_nonzero(pair.other), ",.0f", "against_nonzero"),
        "Seeds": Cell(f"{first}, {second}", seeds=first, against_seeds=second),
        "Relative %": percent(pair.relative, "relative", "+.1f"),
        "95 % interval": between(pair.interval, "+.1f"),
        "Paper's relative %": percent(paper, "paper_relative", "+.1f"),
        "Beside the paper": beside(pair.relative, pair.interval, paper),
    }


def beside(found: float, interval: Interval | None, paper: float | None) -> str:
    """Returns how a measured relative performance stands beside the paper's, in a few words.

    >>> interval = Interval(-0.30, -0.18, True)
    >>> [beside(-0.24, interval, paper) for paper in (-0.2, -0.1, 0.1, None)]
    ['agrees', 'same direction', 'opposite', 'no such pair']
    """
    if interval is None:
        return DASH
    if interval.includes_zero:
        return "no difference shown"
    if paper is None:
        return "no such pair"
    if interval.low <= paper <= interval.high:
        return "agrees"
    return "same direction" if (found > 0) == (paper > 0) else "opposite"


def _paper(pair: Pair) -> float | None:
    first, second = pair.row.paper.get("cer"), pair.other.paper.get("cer")
    return None if first is None or second is None else relative(second, first)


def _nonzero(row: Row) -> float:
    return statistics.mean(run.result.nonzero for run in row.runs)
