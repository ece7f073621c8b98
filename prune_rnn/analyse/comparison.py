"""The numbers of Table 3: means over seeds, and each row against its family's baseline."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prune_rnn import paths
from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.interval import Interval, Spread, relative_interval
from prune_rnn.analyse.rows import Row, beside_baselines
from prune_rnn.analyse.sources import packed_bytes
from prune_rnn.analyse.speed import Speeds
from prune_rnn.bench.job import LAYER, NETWORK
from prune_rnn.typed import Plain

Heard = Mapping[str, Edits | None]  # of each run, under its name


@dataclass(frozen=True, slots=True)
class Line:
    """One row's numbers; rates and sparsity are fractions, None where unknown."""

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

    relative: float | None  # None where one has no run, or the other makes no error
    interval: Interval | None
    silent: tuple[str, ...]  # the runs without hypotheses, which leave no interval
    problem: str  # what else leaves no interval, or nothing


def versus(row: Row, other: Row, edits: Heard, spread: Spread | None) -> Versus:
    """Returns how much better `row` is than `other`, a fraction of the other's CER; of itself, without an interval.

    spread: of the seeds of settings that were trained as these.
    """
    if not (row.runs and other.runs):
        return Versus(None, None, (), "")
    base = statistics.mean(run.cer for run in other.runs)
    performance = relative(base, statistics.mean(run.cer for run in row.runs)) if base else None
    if row is other:
        return Versus(performance, None, (), "")
    both = [run.name for run in (*other.runs, *row.runs)]
    silent, interval, problem = tuple(name for name in both if edits[name] is None), None, ""
    if not silent:
        try:
            interval = relative_interval(_of(other, edits), _of(row, edits), spread)
        except ValueError as error:
            problem = str(error)
    return Versus(performance, interval, silent, problem)


def compare(
    rows: Sequence[Row], edits: Heard, spread: Spread | None, speeds: Speeds | None = None
) -> tuple[list[Line], list[str]]:
    """Returns the numbers of all rows, whose runs agree, and notes on what is missing; the first of a family is its
    baseline. edits: of all runs, as `Library.heard` returns them. spread: as for `versus`. speeds: of some runs."""
    lines: list[Line] = []
    notes: list[str] = []
    silent: list[str] = []
    for row, baseline in beside_baselines(rows):
        against = versus(row, baseline, edits, spread)
        silent += [name for name in against.silent if name not in silent]
        if against.problem:
            notes.append(f"{row.label}: no interval, because {against.problem}.")
        lines.append(_line(row, baseline, against, speeds))
    if silent:
        notes.append(f"No interval where a run has no {paths.HYPOTHESES}: {', '.join(silent)}.")
    return lines, notes


def _of(row: Row, edits: Heard) -> dict[int, Edits]:
    return {run.seed: its for run in row.runs if (its := edits[run.name]) is not None}


def _line(row: Row, baseline: Row, against: Versus, speeds: Speeds | None) -> Line:
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
