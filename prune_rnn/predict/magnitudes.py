"""How much of a layer type a threshold prunes: the distribution of |w| while it is being pruned.

    log(-log(1 - sparsity)) = a + k log(threshold) + u log(units / 128) + s log(steps / 200) + t log(time) + b begin

A Weibull distribution, whose scale narrows with the width and changes with the time since pruning began, and with the
time before it, in which the weights grew. It is fitted to thresholds and sparsities of finished runs, because pruning
changes the weights that remain: once at the end of each epoch, for the course, and once to the highest threshold of
each run alone, for the end. The threshold of a calibrated run is a share of the goal's magnitude; `rise` says how
sparsity follows that share:

    log(1 - sparsity) / log(1 - goal) = share^rise
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prune_rnn.analyse.finished import Finished

SHIPPED = Path(__file__).with_name("magnitudes.csv")
COURSE, END = "course", "end"
ANY = "any"  # cell
_UNITS, _STEPS, _TIME = 128, 200, 0.45  # at which the terms are 0: units, steps an epoch, share of the epochs
_FEWEST, _MOST = 50, 200  # steps an epoch of the runs
_PER_STEPS = 0.25  # as much as their logarithm changes it within the runs
_RIDGE = 1e-4
_TERM_OF_TIME = 4  # its place among the terms
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Regressors:
    """What the sparsity follows from. time: since pruning began, begin: when it did; both are shares of all epochs."""

    threshold: float
    units: int
    steps: int
    time: float
    begin: float

    def terms(self) -> list[float]:
        """Returns the terms of the regression: 1, four logarithms, and when pruning began."""
        parts = self.threshold, self.units / _UNITS, self.steps / _STEPS, self.time / _TIME
        return [1.0, *(math.log(max(part, 1e-9)) for part in parts), self.begin]


@dataclass(frozen=True, slots=True)
class Magnitudes:
    """The distribution of one cell's layer type. deviation: of log(-log(1 - sparsity)), each width left out in turn.

    part: COURSE (each epoch) or END (the highest threshold of each run). rise: of the course alone.
    """

    part: str
    cell: str
    layer_type: str
    a: float
    k: float
    u: float
    s: float
    t: float
    b: float
    rise: float
    deviation: float

    def sparsity(self, of: Regressors) -> float:
        """Returns the share of weights below the threshold; END takes steps outside of the runs as the nearest."""
        if self.part == END:
            of = replace(of, steps=_within(of.steps))
        terms = np.array([self.a, self.k, self.u, self.s, self.t, self.b]) @ of.terms()
        return -math.expm1(-math.exp(min(float(terms), 50.0)))

    def on_the_way(self, goal: float, share: float) -> float:
        """Returns the sparsity of a calibrated run at a share of its goal's magnitude."""
        return -math.expm1(math.log1p(-goal) * min(1.0, share) ** self.rise)


def beyond(steps: int) -> float:
    """Returns what steps an epoch outside of the runs add to the deviation of log(-log(1 - sparsity))."""
    return _PER_STEPS * abs(math.log(steps / _within(steps)))


def _within(steps: int) -> int:
    return min(max(steps, _FEWEST), _MOST)


@dataclass(frozen=True, slots=True)
class Observed:
    """The end of one epoch of a run: the sparsity at a threshold. goal: of the run. share: of the goal's magnitude.

    part: END for the highest threshold.
    """

    part: str
    cell: str
    layer_type: str
    regressors: Regressors
    sparsity: float
    goal: float
    share: float


def shipped(part: str, cell: str, layer_type: str) -> Magnitudes:
    """Returns the distribution of a cell's layer type, else of the layer type in all cells, else of all of them."""
    found = _shipped()
    return found.get((part, cell, layer_type)) or found.get((part, ANY, layer_type)) or found[part, ANY, ANY]


@cache
def _shipped() -> dict[tuple[str, str, str], Magnitudes]:
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        rows = [[row[field.name] for field in fields(Magnitudes)] for row in csv.DictReader(file)]
    return {(part, cell, of): Magnitudes(part, cell, of, *map(float, rest)) for part, cell, of, *rest in rows}


def observed(run: Finished) -> Iterator[Observed]:
    """Yields the epochs of a run of gradual pruning in which its threshold was higher than ever before.

    A run that starts from trained weights yields none, as its |w| had more time to grow than its epochs say. Nor does
    one with layer types of its own.
    """
    config, history = run.config, run.history()
    goal = config.identity["prune"].get("prunable_sparsity")
    phase = config.prune.phase()
    if config.identity["prune"]["method"] != "gradual" or goal is None or phase is None:
        return
    if "init" in config.identity or config.identity["prune"]["layers"] != config.model.prunable:
        return
    steps = run.result.steps // config.train.epochs
    for rule in config.prune.rules(run.result.threshold, steps):
        (layer_type,) = rule.layer_types
        highest = 0.0
        found: list[Observed] = []
        for _, row in history.iterrows():
            epoch, threshold = int(row["epoch"]), float(row[f"threshold_{layer_type}"])
            last = rule.when.last_update_within(1, epoch * steps)
            if last is None or epoch > phase[1] or threshold <= highest:
                continue
            highest = threshold
            begin = phase[0] / config.train.epochs
            time = epoch / config.train.epochs - begin
            regressors = Regressors(threshold, config.model.units, steps, time, begin)
            pruned = float(row[f"sparsity_{layer_type}"])
            found.append(
                Observed(COURSE, config.model.cell.name, layer_type, regressors, pruned, goal, rule.when.at(last))
            )
        yield from found[:-1]
        yield from (replace(each, part=END) for each in found[-1:])


def of_runs(runs: Iterable[Finished]) -> list[Magnitudes]:
    """Returns the distributions of the runs, for each part: of each cell's layer types, of those of one name, of all.

    A cell of a single width and number of steps has none of its own.
    """
    groups: dict[tuple[str, str, str], list[Observed]] = {}
    for run in runs:
        for each in observed(run):
            for part in {COURSE, each.part}:
                for key in ((each.cell, each.layer_type), (ANY, each.layer_type), (ANY, ANY)):
                    groups.setdefault((part, *key), []).append(each)
    return [_fit(*key, groups[key]) for key in sorted(groups) if len(set(map(_kind, groups[key]))) > 1]


def errors(of: Sequence[Observed], part: str) -> list[float]:
    """Returns predicted less true log(-log(1 - sparsity)) of each, by those of other widths and numbers of steps."""
    kinds = [_kind(each) for each in of]
    found: list[float] = []
    for kind in dict.fromkeys(kinds):
        others = _solved([each for each, its in zip(of, kinds, strict=True) if its != kind], part)
        mine = [each for each, its in zip(of, kinds, strict=True) if its == kind]
        found += [float(others @ each.regressors.terms()) - _double_log(each.sparsity) for each in mine]
    return found


def _kind(of: Observed) -> tuple[int, int]:
    return of.regressors.units, of.regressors.steps


def _fit(part: str, cell: str, layer_type: str, of: Sequence[Observed]) -> Magnitudes:
    left_out = errors(of, part)
    between = [each for each in of if 0 < each.share < 0.95]
    x = np.array([math.log(each.share) for each in between])
    y = np.array([_double_log(each.sparsity) - _double_log(each.goal) for each in between])
    deviation = math.sqrt(float(np.mean(np.square(left_out))))
    a, k, u, s, t, b = map(float, _solved(of, part))
    rise = float(x @ y / (x @ x)) if part == COURSE else 1.0  # at the end there is no way to go
    return Magnitudes(part, cell, layer_type, a, k, u, s, t, b, rise, deviation)


def _solved(of: Sequence[Observed], part: str) -> Vector:
    """Returns the coefficients, by least squares in the sparsity; at the end that of the time is 0.

    Time and beginning are correlated there; with both, widths that are left out are predicted worse.
    """
    terms = np.array([each.regressors.terms() for each in of])
    terms[:, _TERM_OF_TIME] *= part == COURSE
    left = np.array([1 - each.sparsity for each in of])
    weights = -left * np.log(left)
    scaled = terms * weights[:, None]
    target = np.array([_double_log(each.sparsity) for each in of]) * weights
    solved: Vector = np.linalg.solve(scaled.T @ scaled + _RIDGE * np.eye(terms.shape[1]), scaled.T @ target)
    return solved


def _double_log(sparsity: float) -> float:
    return math.log(-math.log1p(-sparsity))


def as_csv(magnitudes: Sequence[Magnitudes]) -> str:
    """Returns the text of magnitudes.csv; numbers have 5 digits."""
    return pd.DataFrame(map(asdict, magnitudes)).to_csv(index=False, float_format="%.5g", lineterminator="\n")
