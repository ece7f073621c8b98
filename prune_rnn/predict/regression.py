"""The fit of the distributions of |w| to the thresholds and sparsities of finished runs.

Pruning changes the weights that remain, so the fit is to what was pruned: by the end of each epoch, for the course, and
by the highest threshold of each run alone, for the end. A layer type has coefficients in all cells, which differ in `a`
alone; each cell with enough runs has its own, drawn towards these. How well it predicts: scripts/compare_thresholds.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prune_rnn.analyse.finished import Finished
from prune_rnn.predict.magnitudes import ANY, COURSE, END, Magnitudes, Regressors

_RIDGE = 1e-3  # that draws coefficients to 0, or a cell's to those of all cells
_TERM_OF_TIME = 4  # its place among the terms
Vector = NDArray[np.float64]


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


def left_out(of: Sequence[Observed], cell: str, part: str) -> list[tuple[Observed, float]]:
    """Returns log(-log(1 - sparsity)) of each of a cell, as predicted by other widths and numbers of steps.

    of: a layer type in all cells; those of the other cells count as well.
    """
    found: list[tuple[Observed, float]] = []
    own = [each for each in of if cell in (ANY, each.cell)]
    for kind in dict.fromkeys(map(_kind, own)):
        mine = [each for each in own if _kind(each) == kind]
        others = _solved([each for each in of if _kind(each) != kind or cell not in (ANY, each.cell)], cell, part)
        found += [(each, float(others @ each.regressors.terms())) for each in mine]
    return found


def _kind(of: Observed) -> tuple[int, int]:
    return of.regressors.units, of.regressors.steps


def _fit(part: str, cell: str, layer_type: str, of: Sequence[Observed]) -> Magnitudes:
    errors = [predicted - _double_log(each.sparsity) for each, predicted in left_out(of, cell, part)]
    between = [each for each in of if 0 < each.share < 0.95 and cell in (ANY, each.cell)]
    x = np.array([math.log(each.share) for each in between])
    y = np.array([_double_log(each.sparsity) - _double_log(each.goal) for each in between])
    rise = float(x @ y / (x @ x)) if part == COURSE else 1.0  # at the end there is no way to go
    deviation = math.sqrt(float(np.mean(np.square(errors))))
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
