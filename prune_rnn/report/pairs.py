"""Rows of a table in pairs, each beside the paper's value: the evidence for every claim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from prune_rnn.analyse.agreement import unlike
from prune_rnn.analyse.comparison import EditsOf, Versus, by_voices, compare_pairs, problems, relative, versus
from prune_rnn.analyse.interval import Interval, Spread
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import between, laid_out, percent, speakers_only, without_runs

HOW = (
    "Relative: (CER of the second - CER of the first) / CER of the second; above zero the first is better. Seeds: of "
    "the first and of the second. Beside the paper: it agrees where the paper's value lies in the interval; else "
    "whether the direction is the same. No difference is shown where the interval includes zero."
)


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table of a layout's `pairs`; its rows are the networks that they name."""
    rows = library.rows(layout.rows)
    edits, spread = library.edits(rows), library.spread(rows)
    found = compare_pairs(rows, layout.pairs, edits, spread)
    notes = [*_over_voices(found, edits, spread)] if library.shared.data.name == "synthetic" else []
    notes += [*speakers_only(pair.interval for pair in found), *problems(found)]
    notes += unlike((pair.row, pair.other) for pair in found)
    made = laid_out(name, layout, library, [cells(pair) for pair in found], notes=notes, missing=without_runs(rows))
    return [replace(made, caption=f"{layout.caption} {HOW}".strip())]


def _over_voices(pairs: Sequence[Versus], edits: EditsOf, spread: Spread | None) -> list[str]:
    """Returns a note on the pairs that would show no difference if the intervals were over voices, not speakers."""
    voices = by_voices(edits)
    shown = [each for each in pairs if each.interval and not each.interval.includes_zero]
    if not shown or any(name not in voices for each in shown for name in (*each.row.names, *each.other.names)):
        return []
    over = [versus(each.row, each.other, voices, spread).interval for each in shown]
    none = sum(interval is None or interval.includes_zero for interval in over)
    return [
        f"{len(shown)} of {len(pairs)} pairs show a difference; over voices, not speakers, {none} of them would not."
    ]


def cells(pair: Versus) -> dict[str, str]:
    """Returns the row of a pair whose networks both have runs."""
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
        "Beside the paper": beside(pair.interval, paper),
    }


def beside(interval: Interval | None, paper: float | None) -> str:
    """Returns how the interval of a relative performance agrees with the paper's value, in a few words.

    >>> interval = Interval(-0.30, -0.18, True)
    >>> [beside(interval, paper) for paper in (-0.2, -0.1, 0.1, None)]
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
    return "same direction" if (interval.low > 0) == (paper > 0) else "opposite"


def _paper(pair: Versus) -> float | None:
    first, second = pair.row.paper.get("cer"), pair.other.paper.get("cer")
    return None if first is None or second is None else relative(second, first)


def _nonzero(row: Row) -> float:
    return statistics.mean(run.result.nonzero for run in row.runs)
