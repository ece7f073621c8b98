"""When to prune, and how much then. Numbers in, numbers out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass


class Schedule(ABC):
    """When the masks change, and the amount that counts then. Steps count optimizer updates, the first is 1."""

    end_step: int

    @property
    def last_update(self) -> int:
        """The last step at which the masks change."""
        return self.end_step

    @abstractmethod
    def updates_at(self, step: int) -> bool:
        """Tells whether the masks change at this step."""

    @abstractmethod
    def at(self, step: int) -> float:
        """Returns the amount, for a step at which they change."""

    def done(self, step: int) -> bool:
        """Tells whether they can no longer change after this step: from `end_step` on."""
        return step >= self.end_step

    def last_update_within(self, first: int, last: int) -> int | None:
        """Returns the last step from `first` to `last` at which the masks change; None where there is none."""
        return next((step for step in range(last, first - 1, -1) if self.updates_at(step)), None)


def start_slope(q: float, start_step: int, ramp_step: int, end_step: int, freq: int, ramp_factor: float = 1.5) -> float:
    """Returns theta, the first slope, such that the threshold reaches q at `end_step`. Equation 1 of the paper.

    theta = q freq / ((ramp_step - start_step) + ramp_factor (end_step - ramp_step)). For ramp_factor = 1.5, which the
    paper assumes, this is its 2 q freq / (2 (ramp_step - start_step) + 3 (end_step - ramp_step)).

    >>> round(start_slope(q=0.2, start_step=100, ramp_step=200, end_step=400, freq=10), 6)
    0.005
    """
    return q * freq / ((ramp_step - start_step) + ramp_factor * (end_step - ramp_step))


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold(Schedule):
    """Algorithm 1's threshold: zero, then a slope theta from start_step, a slope phi from ramp_step, then frozen.

    Needs 0 <= start_step <= ramp_step <= end_step, and a multiple of freq >= 1 between start_step and end_step. The
    threshold never passes `cap`. Algorithm 1 adds a step to each slope. Where updates are few that takes the threshold
    past q: by (theta + phi) / freq at the end, and by more where one slope is next to nothing.

    >>> t = Threshold(start_step=100, ramp_step=200, end_step=400, freq=10, theta=0.005, phi=0.0075)
    >>> [t.updates_at(step) for step in (100, 105, 110, 390, 400)]
    [False, False, True, True, False]
    >>> [round(t.at(step), 5) for step in (110, 190, 200, 390)]
    [0.0055, 0.0455, 0.05125, 0.19375]
    """

    start_step: int
    ramp_step: int
    end_step: int
    freq: int
    theta: float
    phi: float
    cap: float = math.inf

    def updates_at(self, step: int) -> bool:
        """Tells whether the masks are recomputed at this step: strictly between start and end, every freq steps."""
        return self.start_step < step < self.end_step and step % self.freq == 0

    @property
    def last_update(self) -> int:
        """The last multiple of freq below end_step."""
        return (self.end_step - 1) // self.freq * self.freq

    def at(self, step: int) -> float:
        """Returns epsilon, the magnitude below which weights go, for a step at which the masks are recomputed."""
        if step < self.ramp_step:
            return min(self.cap, self.theta * (step - self.start_step + 1) / self.freq)
        rise = self.theta * (self.ramp_step - self.start_step + 1) + self.phi * (step - self.ramp_step + 1)
        return min(self.cap, rise / self.freq)


@dataclass(frozen=True, slots=True)
class Once(Schedule):
    """Everything at one step.

    >>> once = Once(end_step=100, sparsity=0.9)
    >>> [once.updates_at(step) for step in (99, 100, 101)], once.at(100), once.done(100)
    ([False, True, False], 0.9, True)
    """

    end_step: int
    sparsity: float

    def updates_at(self, step: int) -> bool:
        return step == self.end_step

    def at(self, step: int) -> float:
        return self.sparsity


@dataclass(frozen=True, kw_only=True, slots=True)
class CubicCurve(Schedule):
    """Sparsity that rises fast at first and slowly at last: s_t = s_f (1 - (1 - (t - t0) / (t1 - t0))^3).

    Zhu & Gupta 2017, equation 1, with an initial sparsity of 0: every freq steps from start_step (t0) on, and at
    end_step (t1), where it is `sparsity` (s_f). Needs 0 <= start_step < end_step and freq >= 1.

    >>> c = CubicCurve(start_step=100, end_step=500, freq=100, sparsity=0.8)
    >>> [c.updates_at(step) for step in (100, 150, 200, 500, 600)]
    [False, False, True, True, False]
    >>> [round(c.at(step), 4) for step in (200, 300, 400, 500)]
    [0.4625, 0.7, 0.7875, 0.8]
    """

    start_step: int
    end_step: int
    freq: int
    sparsity: float

    def updates_at(self, step: int) -> bool:
        """Tells whether the masks are recomputed at this step: after start_step, every freq steps, and at end_step."""
        inside = self.start_step < step <= self.end_step
        return inside and ((step - self.start_step) % self.freq == 0 or step == self.end_step)

    def at(self, step: int) -> float:
        """Returns the sparsity after the update at this step."""
        left = 1 - (step - self.start_step) / (self.end_step - self.start_step)
        return self.sparsity * (1 - left**3)
