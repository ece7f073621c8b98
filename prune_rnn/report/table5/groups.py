"""The rows of a benchmark by group and by mask, and the ratios between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from prune_rnn.bench.archive import Row
from prune_rnn.bench.matrices import FORCED, UNSTRUCTURED
from prune_rnn.bench.ours import NAMES
from prune_rnn.engine.quantise import Dtype

TYPES = [dtype.value for dtype in Dtype]
TORCH = ("torch float32", "cuBLAS float32", "cuBLAS, graph float32")  # torch's dense float32, by device and workload


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one workload, shape and number of streams, between which ratios are fair."""

    workload: str
    shape: str
    streams: int
    rows: Sequence[Row]

    @property
    def label(self) -> str:
        """The shape's name in tables."""
        return self.rows[0].label

    @property
    def dense(self) -> list[Row]:
        """The dense baselines, the engine's own among them."""
        return [row for row in self.rows if row.dense]

    def fastest_dense(self, weights: str | None = None) -> Row | None:
        """Returns the fastest dense baseline, of one type of weights or of all; None where there is none."""
        found = [row for row in self.dense if weights in (None, row.weights)]
        return min(found, key=lambda row: row.median_us, default=None)

    @property
    def torch_float32(self) -> Row | None:
        """torch's dense baseline in float32, which most users run."""
        return next((row for row in self.dense if row.name in TORCH), None)

    @property
    def cases(self) -> list[Case]:
        """The sparse rows by sparsity and mask, in the order of the rows."""
        found: dict[tuple[float, str], list[Row]] = {}
        for row in self.rows:
            if row.sparsity is not None:
                found.setdefault((row.sparsity, row.mask), []).append(row)
        return [Case(self, *key, rows) for key, rows in found.items()]


@dataclass(frozen=True, slots=True)
class Case:
    """The sparse rows of a group with one mask. sparsity: zeros / all."""

    group: Group
    sparsity: float
    mask: str
    rows: Sequence[Row]

    @property
    def ours(self) -> dict[str, Row]:
        """This project's own, by type of weights."""
        return {row.weights: row for row in self.rows if row.name.startswith(NAMES)}

    def named(self, *names: str) -> Row | None:
        """Returns the first row that has one of the names."""
        return next((row for row in self.rows if row.name in names), None)

    @property
    def contenders(self) -> Sequence[Row]:
        """The rows that speed-ups are of: this project's own, else the other libraries'."""
        return list(self.ours.values()) or self.rows

    @property
    def fastest(self) -> Row:
        """The contender of the least median."""
        return min(self.contenders, key=lambda row: row.median_us)

    @property
    def speedup_of_fastest_rounds(self) -> float | None:
        """The fastest round of all dense baselines over that of all contenders; other work disturbs it least."""
        dense = min((row.least_us for row in self.group.dense), default=None)
        return None if dense is None else dense / min(row.least_us for row in self.contenders)


def ratio(baseline: Row | None, row: Row | None) -> float | None:
    """Returns how many times as long the baseline takes; below 1 it is faster. None where one is missing."""
    return None if baseline is None or row is None else baseline.median_us / row.median_us


def grouped(rows: Iterable[Row]) -> dict[tuple[str, str, int], Group]:
    """Returns the groups by (workload, shape, streams), in the order of the rows."""
    found: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.workload, row.shape, row.streams), []).append(row)
    return {key: Group(*key, own) for key, own in found.items()}


@dataclass(frozen=True, slots=True, order=True)
class Crossing:
    """The sparsity from which on sparse is faster. side: 0 at `sparsity`, -1 somewhere below it, 1 above it.

    >>> f"{Crossing(0.85)}, {Crossing(0.8, -1)}, {Crossing(0.95, 1)}"
    '85 %, below 80 %, above 95 %'
    """

    sparsity: float
    side: int = 0

    def __str__(self) -> str:
        return {-1: "below ", 0: "", 1: "above "}[self.side] + f"{100 * self.sparsity:.0f} %"


def crossing(points: Iterable[tuple[float, float]], dense: float) -> Crossing | None:
    """Returns the sparsity from which on the time stays below `dense`, linear between the points; None without points.

    points: (sparsity, time).

    >>> crossing([(0.8, 30.0), (0.9, 10.0)], 20.0)
    Crossing(sparsity=0.85, side=0)
    >>> crossing([(0.8, 30.0)], 40.0), crossing([(0.8, 30.0)], 20.0), crossing([], 20.0)
    (Crossing(sparsity=0.8, side=-1), Crossing(sparsity=0.8, side=1), None)
    """
    ordered = sorted(points)
    if not ordered:
        return None
    if ordered[-1][1] > dense:
        return Crossing(ordered[-1][0], 1)
    for (s1, t1), (s2, t2) in reversed(list(pairwise(ordered))):
        if t1 > dense >= t2:
            return Crossing(round(s1 + (s2 - s1) * (t1 - dense) / (t1 - t2), 6))
    return Crossing(ordered[0][0], -1)


def break_even(group: Group, weights: str) -> Crossing | None:
    """Returns the sparsity from which on a type with unstructured masks is faster than the fastest dense baseline."""
    dense = group.fastest_dense()
    masked = [case for case in group.cases if case.mask in (UNSTRUCTURED, FORCED)]
    points = [(case.sparsity, case.ours[weights].median_us) for case in masked if weights in case.ours]
    return None if dense is None or all(case.mask == FORCED for case in masked) else crossing(points, dense.median_us)
