"""The numbers of Table 3: means over seeds, and each row against its family's baseline."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prune_rnn import paths
from prune_rnn.analyse.bootstrap import Interval, relative_interval
from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.rows import Row
from prune_rnn.typed import Plain

Heard = dict[str, Edits | None]  # of each run, under its name


@dataclass(frozen=True, slots=True)
class Line:
    """One row's numbers; rates and sparsity are fractions, None where there is nothing to tell."""

    label: str
    units: int
    paper: Plain
    seeds: tuple[int, ...]
    cer: float | None
    cer_deviation: float | None  # sample standard deviation over seeds
    wer: float | None
    relative: float | None  # over the seeds that the baseline has too
    interval: Interval | None
    parameters: float | None
    nonzero: float | None
    sparsity: float | None
    sparsity_recurrent: float | None
    minutes: float | None


def relative(baseline: float, cer: float) -> float:
    """Returns the relative performance, positive where better: (baseline - cer) / baseline. Paper, Table 3.

    >>> round(100 * relative(10.67, 14.50), 2)
    -35.9
    """
    return (baseline - cer) / baseline


@dataclass(frozen=True, slots=True)
class Versus:
    """A row against another, over the seeds that both have."""

    seeds: tuple[int, ...]
    relative: float | None  # None without such a seed, and where the other makes no error
    interval: Interval | None
    silent: tuple[str, ...]  # the runs without hypotheses, which leave no interval
    problem: str  # what else leaves no interval, or nothing


def versus(row: Row, other: Row, edits: Heard) -> Versus:
    """Returns how much better `row` is than `other`, a fraction of the other's CER; of itself, without an interval."""
    ours, theirs = ({run.seed: run for run in one.runs} for one in (row, other))
    seeds = tuple(sorted(ours.keys() & theirs.keys()))
    if not seeds:
        return Versus(seeds, None, None, (), "")
    base = statistics.mean(theirs[seed].cer for seed in seeds)
    performance = relative(base, statistics.mean(ours[seed].cer for seed in seeds)) if base else None
    if row is other:
        return Versus(seeds, performance, None, (), "")
    both = [run.name for seed in seeds for run in (theirs[seed], ours[seed])]
    silent, interval, problem = tuple(name for name in both if edits[name] is None), None, ""
    if not silent:
        try:
            interval = relative_interval(_of(theirs, edits), _of(ours, edits))
        except ValueError as error:
            problem = str(error)
    return Versus(seeds, performance, interval, silent, problem)


def compare(rows: Sequence[Row], edits: Heard) -> tuple[list[Line], list[str]]:
    """Returns the numbers of all rows, whose runs agree, and notes on what is missing; the first of a family is its
    baseline. edits: of all runs, as `Library.heard` returns them."""
    lines: list[Line] = []
    notes: list[str] = []
    untold: list[str] = []
    for row in rows:
        baseline = next(other for other in rows if other.family == row.family)
        against = versus(row, baseline, edits)
        if row.runs and baseline.runs and {run.seed for run in row.runs} != {run.seed for run in baseline.runs}:
            notes.append(_unpaired(row, baseline, against.seeds))
        untold += [name for name in against.silent if name not in untold]
        if against.problem:
            notes.append(f"{row.label}: no interval, because {against.problem}.")
        lines.append(_line(row, against.relative, against.interval))
    if untold:
        notes.append(f"No interval where a run has no {paths.HYPOTHESES}: {', '.join(untold)}.")
    return lines, notes


def _of(runs: dict[int, Finished], edits: Heard) -> dict[int, Edits]:
    return {seed: its for seed, run in runs.items() if (its := edits[run.name]) is not None}


def _unpaired(row: Row, baseline: Row, paired: Sequence[int]) -> str:
    has = [f"{one.label} has {_seeds(run.seed for run in one.runs)}" for one in (row, baseline)]
    over = f"over {_seeds(paired)}" if paired else "missing: there is no seed in both"
    return f"{', '.join(has)}: the relative performance is {over}."


def _seeds(seeds: Iterable[int]) -> str:
    """
    >>> _seeds([0]), _seeds([0, 2])
    ('seed 0', 'seeds 0, 2')
    """
    told = list(map(str, seeds))
    return f"seed{'s' if len(told) > 1 else ''} {', '.join(told)}"


def _line(row: Row, performance: float | None, interval: Interval | None) -> Line:
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
        relative=performance,
        interval=interval,
        parameters=mean(lambda run: run.result.parameters),
        nonzero=mean(lambda run: run.result.nonzero),
        sparsity=mean(lambda run: run.result.sparsity),
        sparsity_recurrent=mean(lambda run: run.result.sparsity_recurrent),
        minutes=mean(lambda run: run.result.train_seconds / 60),
    )
