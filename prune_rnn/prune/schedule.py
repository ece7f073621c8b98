"""When to prune: the paper's threshold over the steps of training. Numbers in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass


def start_slope(q: float, start_step: int, ramp_step: int, end_step: int, freq: int, ramp_factor: float = 1.5) -> float:
    """Returns theta, the first slope, such that the threshold reaches q at `end_step`. Equation 1 of the paper.

    theta = q freq / ((ramp_step - start_step) + ramp_factor (end_step - ramp_step)). For ramp_factor = 1.5, which the
    paper assumes, this is its 2 q freq / (2 (ramp_step - start_step) + 3 (end_step - ramp_step)).

    >>> round(start_slope(q=0.2, start_step=100, ramp_step=200, end_step=400, freq=10), 6)
    0.005
    """
    return q * freq / ((ramp_step - start_step) + ramp_factor * (end_step - ramp_step))


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """Algorithm 1's threshold: zero, then a slope theta from start_step, a slope phi from ramp_step, then frozen.

    Steps count optimizer updates, the first is 1. Needs 0 <= start_step <= ramp_step <= end_step, start_step < end_step
    and freq >= 1 (else ValueError).

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

    def __post_init__(self) -> None:
        if not 0 <= self.start_step <= self.ramp_step <= self.end_step or self.start_step == self.end_step:
            raise ValueError(
                f"pruning must start, ramp and end in this order: start_step={self.start_step}, "
                f"ramp_step={self.ramp_step}, end_step={self.end_step}"
            )
        if self.freq < 1:
            raise ValueError(f"freq={self.freq}: must be 1 step or more")
        if self.last_update is None:
            raise ValueError(
                f"no step between start_step={self.start_step} and end_step={self.end_step} is a multiple of "
                f"freq={self.freq}: nothing would be pruned; train for more epochs or on more data, or raise "
                "prune.end_epoch"
            )

    def updates_at(self, step: int) -> bool:
        """Tells whether the masks are recomputed at this step: strictly between start and end, every freq steps."""
        return self.start_step < step < self.end_step and step % self.freq == 0

    @property
    def last_update(self) -> int | None:
        """The last step at which the masks are recomputed; None where there is none."""
        step = (self.end_step - 1) // self.freq * self.freq
        return step if self.updates_at(step) else None

    def at(self, step: int) -> float:
        """Returns epsilon, the magnitude below which weights go, for a step at which the masks are recomputed."""
        if step < self.ramp_step:
            return self.theta * (step - self.start_step + 1) / self.freq
        rise = self.theta * (self.ramp_step - self.start_step + 1) + self.phi * (step - self.ramp_step + 1)
        return rise / self.freq
