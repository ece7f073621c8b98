"""The law: how the CER depends on size, density, pruning and training.

    log CER = levels + effects + log(floor + (1 - floor) (N / N0)^-b d^-c)

N: prunable weights. d: the share of them that stays. N0: `REFERENCE`. The floor is a share of the level, so that other
speech scales the whole curve. Each recipe (data and training) has a level and slopes of its own, drawn from what all
recipes have in common: a first dense run fixes the level of new speech, further ones narrow it. Effects: of a later
start, of each method, of hours of speech. The fit is the most probable one under `prior`, by Gauss-Newton steps with
Huber's weights in log CER; seeds count by their spread.

Source: scaling laws of sparse networks, Frantar et al. 2023 (arXiv:2309.08520). Error of log CER in percent for the 37
networks of the main recipe that are dense or pruned from epoch 1 on (scripts/compare_laws.py): each width by all other
widths; and those wider than 128 units by the narrower ones, where every form predicts too little:

    form                          median   rms   worst   wider: mean   rms
    a N^-b d^-c                      1.7   4.9    19.4          -3.0   4.9
    floor + a N^-b d^-c              2.6   4.3    12.0          -2.1   4.1
    Frantar et al. 2023              2.2   5.3    21.9          -1.3   4.3
    Rosenfeld et al. 2021            5.0   6.5    12.8           5.7   9.1
    this one                         1.5   2.3     6.9          -1.5   2.7
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prune_rnn.predict.networks import Network
from prune_rnn.predict.setting import SYNTHETIC, Setting
from prune_rnn.predict.spread import Spread

REFERENCE = 330_000  # prunable weights at which the curve is 1: those of GRU Dense at scale=small
LEAST = 0.02  # density below which only two networks were ever measured
_MISFIT, _MISFIT_ELSEWHERE = 0.012, 0.025  # deviation of the law itself, with the main recipe's hours and with others
_START = 0.05  # share of the epochs at which pruning starts by default
_HARD = 0.25  # share of the epochs from which on hard pruning costs ever more, as in the paper's Table 4
_HOURS, _HOURS_HEARD = 15.0, 50.0  # of the main recipe
_REPEATS = 5.0  # of speech, as much as any number of them is worth; predicts networks of 1 and 4 h best
_HUBER = 1.5
_STEPS, _EXACT = 30, 1e-4  # of the search, at most; of each coefficient
_CURVE = ("floor", "b", "c")

Prior = tuple[float, float]  # mean and deviation
_LEVEL: Prior = (-1.37, 1.0)
_FIXED: dict[str, Prior] = {
    "floor": (0.7, 0.1),
    "b": (0.3, 0.2),
    "c": (0.2, 0.15),
    "level": _LEVEL,
    "hours_heard": (-0.2, 0.2),
    "hours": (0.0, 0.1),
    "late": (0.0, 0.5),
    "late, dense": (0.0, 0.3),
    "hard, late": (0.5, 0.5),
    "deep": (0.0, 0.2),
    "init": (-0.08, 0.08),  # more training in all
    "teacher": (-0.03, 0.05),
    # of log CER against gradual pruning, assumed until there are runs: structure costs, chance costs more
    "method cubic": (0.0, 0.03),
    "method saliency": (0.03, 0.05),
    "method nm": (0.03, 0.04),
    "method blocks": (0.08, 0.06),
    "method random": (0.13, 0.07),
}
_OTHERS: dict[str, Prior] = {  # by the first word of the name
    "cell": (0.0, 0.08),
    "shape": (0.0, 0.08),
    "method": (0.05, 0.08),
    "variant": (0.03, 0.05),
    "kin": (0.0, 0.15),
    "data": (0.0, 1.0),
    "recipe": (0.0, 0.04),
    "size": (0.0, 0.05),
    "share": (0.0, 0.03),
}
Vector = NDArray[np.float64]


def prior(name: str) -> Prior:
    """Returns mean and deviation of a coefficient before any run."""
    return _FIXED.get(name) or _OTHERS[name.partition(" ")[0]]


def effects(of: Setting) -> dict[str, float]:
    """Returns the regressors of a setting, one for each coefficient of the levels and effects, by name."""
    size, share = math.log(of.prunable / REFERENCE), math.log(of.density)
    found = {
        "level": 1.0,
        f"cell {of.cell}": 1.0,
        f"shape {of.shape}": 1.0,
        f"kin {of.kin}": 1.0,
        f"data {of.data}": 0.0 if of.data == SYNTHETIC else 1.0,
        f"recipe {of.recipe}": 1.0,
        f"size {of.recipe}": -size,
        f"share {of.recipe}": -share,
        "init": float(of.init),
        "teacher": float(of.teacher),
    }
    if of.hours and of.hours_heard:
        heard = math.log(_worth(of.hours, of.hours_heard) / _worth(_HOURS, _HOURS_HEARD))
        found |= {"hours": math.log(of.hours / _HOURS), "hours_heard": heard}
    if of.variant:
        found[f"variant {of.method} {of.variant}"] = 1.0
    if of.density < LEAST:
        found["deep"] = math.log(LEAST / of.density)
    if of.method == "hard":
        found |= {"method hard": 1.0, "hard, late": max(0.0, of.start - _HARD) ** 2}
    elif of.method != "none":
        found |= {"late": of.start - _START, "late, dense": (of.start - _START) * share}
        found |= {} if of.method == "gradual" else {f"method {of.method}": 1.0}
    return {name: value for name, value in found.items() if value}


def _misfit(of: Setting) -> float:
    return _MISFIT if (of.hours, of.hours_heard) == (_HOURS, _HOURS_HEARD) else _MISFIT_ELSEWHERE


def _worth(hours: float, heard: float) -> float:
    """Returns the hours of new speech that are worth as much as some hours heard again and again.

    Speech heard once is worth itself, and never more than 1 + `_REPEATS` times its hours. Source: Muennighoff et al.
    2023 (arXiv:2305.16264), equation 5.

    >>> _worth(15, 10), round(_worth(15, 50), 1), round(_worth(1, 50), 1)
    (10, 43.0, 6.0)
    """
    return heard if heard <= hours else hours * (1 + _REPEATS * -math.expm1(-(heard / hours - 1) / _REPEATS))


@dataclass(frozen=True, slots=True)
class Law:
    """A fitted law. names: of the coefficients, the curve's last. covariance: of the coefficients."""

    names: tuple[str, ...]
    coefficients: Vector
    covariance: Vector

    def __getitem__(self, name: str) -> float:
        return float(self.coefficients[self.names.index(name)])

    def predict(self, of: Setting) -> tuple[float, float]:
        """Returns the mean of log CER over all seeds, and how sure it is, a standard deviation."""
        slopes, offset, rest = self._slopes(of)
        mean = float(slopes @ self.coefficients) + offset + sum(prior(n)[0] * v for n, v in rest.items())
        variance = _misfit(of) ** 2 + float(slopes @ self.covariance @ slopes)
        variance += sum((prior(name)[1] * value) ** 2 for name, value in rest.items())
        return mean, math.sqrt(variance)

    def ratio(self, of: Setting, to: Setting) -> tuple[float, float]:
        """Returns log of the CER of one over that of another of the same recipe, and its standard deviation."""
        (own, _, own_rest), (other, _, other_rest) = self._slopes(of), self._slopes(to)
        slopes, rest = own - other, {n: own_rest.get(n, 0) - other_rest.get(n, 0) for n in {**own_rest, **other_rest}}
        mean = self.predict(of)[0] - self.predict(to)[0]
        variance = 2 * _misfit(of) ** 2 + float(slopes @ self.covariance @ slopes)
        return mean, math.sqrt(variance + sum((prior(name)[1] * value) ** 2 for name, value in rest.items()))

    def _slopes(self, of: Setting) -> tuple[Vector, float, dict[str, float]]:
        """Returns the slopes of log CER, the curve less its linear part, and the effects without a coefficient."""
        values = effects(of)
        slopes = np.array([values.pop(name, 0.0) for name in self.names[: -len(_CURVE)]])
        value, curve = _curve(self.coefficients, *_logarithms([of]))
        offset = float(value[0] - curve[0] @ self.coefficients[-len(_CURVE) :])
        return np.concatenate([slopes, curve[0]]), offset, values


def fit(networks: Sequence[Network], near: Law | None = None) -> Law:
    """Returns the law of the networks. near: a law to begin the search at."""
    values = [effects(network.setting) for network in networks]
    names = sorted({"level", *(name for each in values for name in each)})
    linear = np.array([[each.get(name, 0.0) for name in names] for each in values]).reshape(len(values), len(names))
    names += _CURVE
    means, deviations = np.array([prior(name) for name in names]).T
    points = _logarithms([network.setting for network in networks])
    measured = np.array([network.log_cer for network in networks])
    spread = Spread(networks)
    variance = [_misfit(each.setting) ** 2 + spread.of(each.setting) ** 2 / each.seeds for each in networks]
    exactness = 1 / np.array(variance)
    found = means.copy() if near is None else np.array([near[name] for name in names])
    information = np.diag(deviations**-2)
    for _ in range(_STEPS):
        curve, slopes = _curve(found, *points)
        jacobian = np.hstack([linear, slopes])
        off = measured - linear @ found[: -len(_CURVE)] - curve
        far = np.abs(off) * np.sqrt(exactness)
        weights = exactness * np.minimum(1, _HUBER / np.maximum(far, 1e-9))
        information = jacobian.T @ (jacobian * weights[:, None]) + np.diag(deviations**-2)
        step = np.linalg.solve(information, jacobian.T @ (weights * off) + (means - found) / deviations**2)
        found = found + step
        if np.abs(step).max() < _EXACT:
            break
    return Law(tuple(names), found, np.linalg.inv(information))


def _logarithms(settings: Sequence[Setting]) -> tuple[Vector, Vector]:
    """Returns log(N / N0) and log d of each."""
    return (
        np.array([math.log(each.prunable / REFERENCE) for each in settings]),
        np.array([math.log(each.density) for each in settings]),
    )


def _curve(coefficients: Vector, size: Vector, share: Vector) -> tuple[Vector, Vector]:
    """Returns the log of the curve at each point, and its slopes by floor, b and c, (points, 3)."""
    floor, b, c = coefficients[-3:]
    floor = min(max(floor, 0.0), 0.95)
    above = np.exp(-b * size - c * share)
    whole = floor + (1 - floor) * above
    down = -(1 - floor) * above / whole
    return np.log(whole), np.column_stack([(1 - above) / whole, down * size, down * share])


def without(networks: Sequence[Network], key: tuple[object, ...]) -> list[Network]:
    """Returns the networks of other settings than the key's."""
    return [network for network in networks if network.setting.key != key]
