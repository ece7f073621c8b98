"""Rows of Table 3 against rows that are not their baseline: what the claims about size and order rest on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import yaml

from prune_rnn import paths
from prune_rnn.table.bootstrap import Interval, relative_interval
from prune_rnn.table.comparison import performance_of, relative
from prune_rnn.table.finished import Finished
from prune_rnn.table.rows import Row


@dataclass(frozen=True, slots=True)
class Pair:
    """How much better `row` is than `other`, a fraction of the other's CER, over the seeds that both have."""

    row: Row
    other: Row
    relative: float
    interval: Interval | None  # None where a run kept no hypotheses, or not of the same utterances


def compare_pairs(rows: Sequence[Row]) -> list[Pair]:
    """Returns the pairs of conf/table/table3.yaml that have a seed in common."""
    named = {row.label: row for row in rows}
    found = []
    for label, other_label in yaml.safe_load((paths.conf() / "table" / "table3.yaml").read_text())["pairs"]:
        row, other = named[label], named[other_label]
        ours, theirs = ({run.seed: run for run in one.runs} for one in (row, other))
        seeds = sorted(ours.keys() & theirs.keys())
        if not seeds:
            continue
        performance = performance_of([theirs[seed] for seed in seeds], [ours[seed] for seed in seeds])
        if performance is not None:
            found.append(Pair(row, other, performance, _interval(theirs, ours, seeds)))
    return found


def _interval(theirs: dict[int, Finished], ours: dict[int, Finished], seeds: Sequence[int]) -> Interval | None:
    baseline, row = ({seed: its for seed in seeds if (its := runs[seed].edits())} for runs in (theirs, ours))
    if not len(baseline) == len(row) == len(seeds):
        return None
    try:
        return relative_interval(baseline, row)
    except ValueError:  # tested on different utterances
        return None


def printed(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Returns the pairs as printed, every cell a string."""
    cells = []
    for pair in pairs:
        both = (pair.row.paper, pair.other.paper)
        paper = f"{100 * relative(both[1]['cer'], both[0]['cer']):+.1f}" if all(both) else "-"
        ends = "-"
        if pair.interval:
            ends = f"[{100 * pair.interval.low:+.1f}, {100 * pair.interval.high:+.1f}]"
            ends += ", includes 0" if pair.interval.includes_zero else ""
        cells.append(
            {
                "Model": pair.row.label,
                "Not zero": _nonzero(pair.row),
                "Against": pair.other.label,
                "Its not zero": _nonzero(pair.other),
                "Relative %": f"{100 * pair.relative:+.1f}",
                "95 % interval": ends,
                "Paper's relative %": paper,
            }
        )
    return pd.DataFrame(cells)


def _nonzero(row: Row) -> str:
    return f"{statistics.mean(run.result['nonzero'] for run in row.runs):,.0f}"
