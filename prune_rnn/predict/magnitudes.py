"""How much of a layer type a threshold prunes: the distribution of |w| while it is being pruned.

    log(-log(1 - sparsity)) = a + k log(threshold) + u log(units / 128) + s log(steps / 200) + t log(time) + b begin
                              + (ku log(units / 128) + ks log(steps / 200)) log(threshold sqrt(units / 128) / 0.08)

A Weibull distribution, whose scale and shape change with the width and the steps, and whose scale changes with the time
since pruning began, and with the time before it, in which the weights grew. It is fitted to thresholds and sparsities
of finished runs, because pruning changes the weights that remain: once at the end of each epoch, for the course, and
once to the highest threshold of each run alone, for the end. A layer type has coefficients in all cells, which differ
in `a` alone, and each cell with enough runs has its own, drawn towards these. The threshold of a calibrated run is a
share of the goal's magnitude; `rise` says how sparsity follows that share:

    log(1 - sparsity) / log(1 - goal) = share^rise
"""

from __future__ import annotations

import csv
import math
from collections import Counter
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
_THRESHOLD = 0.08  # at which the shape's terms are 0, in proportion to 1 / sqrt(units), as initial weights are
_FEWEST, _MOST = 50, 200  # steps an epoch of the runs
_NARROWEST, _WIDEST = 64, 392  # units of the runs; beyond them the shape stays
_PER_STEPS = 0.25  # as much as their logarithm changes it within the runs
_RIDGE = 1e-3  # that draws coefficients to 0, or a cell's to those of all cells
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
        """Returns the terms of the regression, in the order of the coefficients."""
        parts = self.threshold, self.units / _UNITS, self.steps / _STEPS, self.time / _TIME
        threshold, units, steps, time = (math.log(max(part, 1e-9)) for part in parts)
        beside = threshold + units / 2 - math.log(_THRESHOLD)
        width = math.log(min(max(self.units, _NARROWEST), _WIDEST) / _UNITS)
        shape = [width * beside, math.log(_within(self.steps) / _STEPS) * beside]
        return [1.0, threshold, units, steps, time, self.begin, *shape]


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
    ku: float
    ks: float
    rise: float
    deviation: float

    def sparsity(self, of: Regressors) -> float:
        """Returns the share of weights below the threshold; END takes steps outside of the runs as the nearest."""
        if self.part == END:
            of = replace(of, steps=_within(of.steps))
        terms = np.array([self.a, self.k, self.u, self.s, self.t, self.b, self.ku, self.ks]) @ of.terms()
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
    groups: dict[tuple[str, str], list[Observed]] = {}
    for run in runs:
        for each in observed(run):
            for part in {COURSE, each.part}:
                for layer_type in (each.layer_type, ANY):
                    groups.setdefault((part, layer_type), []).append(each)
    found = []
    for (part, layer_type), of in sorted(groups.items()):
        kinds = {(each.cell, *_kind(each)) for each in of}
        cells = [cell for cell, count in Counter(cell for cell, *_ in kinds).items() if count > 1]
        own = [] if layer_type == ANY else cells
        found += [_fit(part, cell, layer_type, of) for cell in (ANY, *own)] if len(kinds) > 1 else []
    return sorted(found, key=lambda each: (each.part, each.cell, each.layer_type))


def errors(of: Sequence[Observed], cell: str, part: str) -> list[float]:
    """Returns predicted less true log(-log(1 - sparsity)) of a cell, by other widths and numbers of steps.

    of: a layer type in all cells; those of the other cells count as well.
    """
    found: list[float] = []
    own = [each for each in of if cell in (ANY, each.cell)]
    for kind in dict.fromkeys(map(_kind, own)):
        mine = [each for each in own if _kind(each) == kind]
        others = _solved([each for each in of if _kind(each) != kind or cell not in (ANY, each.cell)], cell, part)
        found += [float(others @ each.regressors.terms()) - _double_log(each.sparsity) for each in mine]
    return found


def _kind(of: Observed) -> tuple[int, int]:
    return of.regressors.units, of.regressors.steps


def _fit(part: str, cell: str, layer_type: str, of: Sequence[Observed]) -> Magnitudes:
    left_out = errors(of, cell, part)
    between = [each for each in of if 0 < each.share < 0.95 and cell in (ANY, each.cell)]
    x = np.array([math.log(each.share) for each in between])
    y = np.array([_double_log(each.sparsity) - _double_log(each.goal) for each in between])
    rise = float(x @ y / (x @ x)) if part == COURSE else 1.0  # at the end there is no way to go
    deviation = math.sqrt(float(np.mean(np.square(left_out))))
    return Magnitudes(part, cell, layer_type, *map(float, [*_solved(of, cell, part), rise, deviation]))


def _solved(of: Sequence[Observed], cell: str, part: str) -> Vector:
    """Returns the coefficients of a cell, or of ANY, by least squares in the sparsity.

    At the end that of the time is 0: time and beginning are correlated there; with both, widths that are left out are
    predicted worse.
    """
    terms = np.array([each.regressors.terms() for each in of])
    terms[:, _TERM_OF_TIME] *= part == COURSE
    sparsity = np.array([each.sparsity for each in of])
    if cell == ANY:
        return _least(terms, sparsity, np.zeros(terms.shape[1]))
    cells = np.array([each.cell for each in of])
    others = [cells == other for other in sorted({*cells.tolist()} - {cell})]  # each has an `a` of its own
    common = np.column_stack([terms, *others])
    found = _least(common, sparsity, np.zeros(common.shape[1]))
    return _least(terms[cells == cell], sparsity[cells == cell], found[: terms.shape[1]])


def _least(terms: Vector, sparsity: Vector, towards: Vector) -> Vector:
    """Returns the coefficients that the ridge draws towards some others. terms: (observations, coefficients)."""
    weights = -(1 - sparsity) * np.log1p(-sparsity)
    scaled = terms * weights[:, None]
    target = weights * np.log(-np.log1p(-sparsity))
    left = scaled.T @ scaled + _RIDGE * np.eye(len(towards))
    return np.linalg.solve(left, scaled.T @ target + _RIDGE * towards).astype(np.float64)


def _double_log(sparsity: float) -> float:
    return math.log(-math.log1p(-sparsity))


def as_csv(magnitudes: Sequence[Magnitudes]) -> str:
    """Returns the text of magnitudes.csv; numbers have 5 digits."""
    return pd.DataFrame(map(asdict, magnitudes)).to_csv(index=False, float_format="%.5g", lineterminator="\n")
