"""How much of a layer type a threshold prunes: the distribution of |w| while it is being pruned.

    log(-log(1 - sparsity)) = a + k log(threshold) + u log(units / 128) + s log(steps / 200) + t log(time) + b begin
                              + (ku log(units / 128) + ks log(steps / 200)) log(threshold sqrt(units / 128) / 0.08)

A Weibull distribution, whose scale and shape change with the width and the steps, and whose scale changes with the time
since pruning began, and with the time before it, in which the weights grew. `regression` fits it: for the course of
pruning, and for its end. The threshold of a calibrated run is a share of the goal's magnitude; `rise` says how sparsity
follows that share:

    log(1 - sparsity) / log(1 - goal) = share^rise
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

SHIPPED = Path(__file__).with_name("magnitudes.csv")
COURSE, END = "course", "end"
ANY = "any"  # cell
_UNITS, _STEPS, _TIME = 128, 200, 0.45  # at which the terms are 0: units, steps an epoch, share of the epochs
_THRESHOLD = 0.08  # at which the shape's terms are 0, in proportion to 1 / sqrt(units), as initial weights are
_FEWEST, _MOST = 50, 200  # steps an epoch of the runs
_NARROWEST, _WIDEST = 64, 392  # units of the runs; beyond them the shape stays
_PER_STEPS = 0.25  # as much as their logarithm changes it within the runs


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


def shipped(part: str, cell: str, layer_type: str) -> Magnitudes:
    """Returns the distribution of a cell's layer type, else of the layer type in all cells, else of all of them."""
    found = _shipped()
    return found.get((part, cell, layer_type)) or found.get((part, ANY, layer_type)) or found[part, ANY, ANY]


@cache
def _shipped() -> dict[tuple[str, str, str], Magnitudes]:
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        rows = [[row[field.name] for field in fields(Magnitudes)] for row in csv.DictReader(file)]
    return {(part, cell, of): Magnitudes(part, cell, of, *map(float, rest)) for part, cell, of, *rest in rows}


def as_csv(magnitudes: Sequence[Magnitudes]) -> str:
    """Returns the text of magnitudes.csv; numbers have 5 digits."""
    return pd.DataFrame(map(asdict, magnitudes)).to_csv(index=False, float_format="%.5g", lineterminator="\n")
