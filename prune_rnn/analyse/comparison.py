"""Rows of a table against each other, over all of their seeds, and the numbers of Table 3."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from prune_rnn import paths
from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.hypotheses import Edits, by_voice
from prune_rnn.analyse.interval import Interval, Spread, relative_interval
from prune_rnn.analyse.rows import Row, beside_baselines
from prune_rnn.analyse.sources import packed_bytes
from prune_rnn.analyse.speed import Speeds
from prune_rnn.bench.job import LAYER, NETWORK
from prune_rnn.typed import Plain

EditsOf = Mapping[str, Edits | None]  # by the run's name; None without hypotheses


@dataclass(frozen=True, slots=True)
class Line:
    """One row's numbers, None where unknown; rates and sparsity are fractions."""

    label: str
    units: int
    paper: Plain
    seeds: tuple[int, ...]
    cer: float | None
    cer_deviation: float | None  # sample standard deviation over seeds
    wer: float | None
    relative: float | None  # of the means over seeds
    interval: Interval | None
    parameters: float | None
    nonzero: float | None
    sparsity: float | None
    sparsity_recurrent: float | None
    bytes: float | None  # of the packed file in float32
    layer_speed: float | None  # how many times as fast as the baseline's middle layer, one stream
    network_speed: float | None  # likewise of the whole network


def relative(baseline: float, cer: float) -> float:
    """Returns the relative performance, positive where better: (baseline - cer) / baseline. Paper, Table 3.

    >>> round(100 * relative(10.67, 14.50), 2)
    -35.9
    """
    return (baseline - cer) / baseline


@dataclass(frozen=True, slots=True)
class Versus:
    """A row against another, each over all of its seeds."""

    row: Row
    other: Row
    relative: float | None = None  # a fraction of the other's CER; None where one has no run, or the other no error
    interval: Interval | None = None
    silent: tuple[str, ...] = ()  # the runs without hypotheses, which leave no interval
    problem: str = ""  # another reason why there is no interval


def by_voices(edits: EditsOf) -> dict[str, Edits]:
    """Returns the edits of each run whose speakers are known, by voice."""
    return {name: by_voice(own) for name, own in edits.items() if own is not None and own.speakers}


def versus(row: Row, other: Row, edits: EditsOf, spread: Spread | None) -> Versus:
    """Returns how much better `row` is than `other`; a row against itself has no interval.

    spread: of the seeds of settings that were trained like these.
    """
    if not (row.runs and other.runs):
        return Versus(row, other)
    base = statistics.mean(run.cer for run in other.runs)
    found = Versus(row, other, relative(base, statistics.mean(run.cer for run in row.runs)) if base else None)
    if row is other:
        return found
    if silent := tuple(run.name for run in (*other.runs, *row.runs) if edits[run.name] is None):
        return replace(found, silent=silent)
    try:
        return replace(found, interval=relative_interval(_by_seed(other, edits), _by_seed(row, edits), spread))
    except ValueError as error:
        return replace(found, problem=str(error))


def _by_seed(row: Row, edits: EditsOf) -> dict[int, Edits]:
    return {run.seed: own for run in row.runs if (own := edits[run.name]) is not None}


def problems(compared: Iterable[Versus]) -> list[str]:
    """Returns a note for each comparison that has a problem."""
    return [
        f"{each.row.label} against {each.other.label}: no interval, because {each.problem}."
        for each in compared
        if each.problem
    ]


def compare_pairs(
    rows: Sequence[Row], pairs: Sequence[Sequence[str]], edits: EditsOf, spread: Spread | None
) -> list[Versus]:
    """Returns the pairs of rows that both have runs. pairs: (label, label of what it is compared with)."""
    named = {row.label: row for row in rows}
    compared = (versus(named[label], named[other], edits, spread) for label, other in pairs)
    return [each for each in compared if each.relative is not None]


def compare(
    rows: Sequence[Row], edits: EditsOf, spread: Spread | None, speeds: Speeds | None = None
) -> tuple[list[Line], list[str]]:
    """Returns the numbers of all rows, and notes on missing intervals; a family's first row is its baseline.

    rows: their runs agree. edits: of all runs. spread: as for `versus`. speeds: of some runs.
    """
    compared = [versus(row, baseline, edits, spread) for row, baseline in beside_baselines(rows)]
    notes = problems(compared)
    if silent := dict.fromkeys(name for each in compared for name in each.silent):
        notes.append(f"No interval where a run has no {paths.HYPOTHESES}: {', '.join(silent)}.")
    return [_line(each, speeds) for each in compared], notes


def _line(against: Versus, speeds: Speeds | None) -> Line:
    row, baseline = against.row, against.other
    sizes = [size for run in row.runs if (size := packed_bytes(run.folder)) is not None]

    def mean(of: Callable[[Finished], float]) -> float | None:
        return statistics.mean(of(run) for run in row.runs) if row.runs else None

    return Line(
        label=row.label,
        units=row.units,
        paper=row.paper,
        seeds=tuple(run.seed for run in row.runs),
        cer=mean(lambda run: run.cer),
        cer_deviation=statistics.stdev(run.cer for run in row.runs) if len(row.runs) > 1 else None,
        wer=mean(lambda run: run.result.test.wer.rate),
        relative=against.relative,
        interval=against.interval,
        parameters=mean(lambda run: run.result.parameters),
        nonzero=mean(lambda run: run.result.nonzero),
        sparsity=mean(lambda run: run.result.sparsity),
        sparsity_recurrent=mean(lambda run: run.result.sparsity_recurrent),
        bytes=statistics.mean(sizes) if sizes else None,
        layer_speed=speeds.times_as_fast(LAYER, row.names, baseline.names) if speeds else None,
        network_speed=speeds.times_as_fast(NETWORK, row.names, baseline.names) if speeds else None,
    )
