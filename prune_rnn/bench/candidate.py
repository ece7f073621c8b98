"""One way to do a job, and what its timing gave."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

DENSE = "dense"  # the mask of a candidate that multiplies with the zeros too


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to do a group's job. dtype: of the weights. sparsity: None where it multiplies with the zeros too.

    stage: of a network, whose time it is; "": all of the job.
    """

    name: str
    dtype: str
    sparsity: float | None = None
    mask: str = DENSE
    format: str = ""
    exact: bool = True
    packing_seconds: float | None = None
    bytes: int | None = None
    stage: str = ""

    def packed(self, seconds: float, form: str, size: int) -> Candidate:
        """Returns the same with what packing its matrix took: seconds, the format's name, bytes."""
        return replace(self, packing_seconds=seconds, format=form, bytes=size)


Way = tuple[Candidate, Callable[[], Any]]  # and what computes it


@dataclass(frozen=True, slots=True)
class Measurement:
    """One candidate's times in microseconds: of a product, of a step of the layer, of a second of audio."""

    workload: str
    shape: str
    streams: int
    candidate: Candidate
    microseconds: list[float]

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.microseconds)

    @property
    def least(self) -> float:
        """The fastest round: what other work on the machine disturbs least."""
        return min(self.microseconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third; both are the median where there was one round only."""
        if len(self.microseconds) < 2:
            return self.median, self.median
        first, _, third = statistics.quantiles(self.microseconds, n=4, method="inclusive")
        return first, third
