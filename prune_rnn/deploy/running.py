"""Features of a stream: each bin is normalised by the stream so far and the corpus's own statistics."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prune_rnn.speech.features import DEVIATION_FLOOR, STEP, frames, log_of, power_of_few
from prune_rnn.speech.front_end import ACTIVE, HOLD, LOWEST, FrontEnd

PRIOR = {FrontEnd.absolute: 3.0, FrontEnd.relative: 3.0, FrontEnd.active: 30.0}  # weight of the corpus, in frames
SOFT = 64.0  # power of a bin, 20 dB below that of a full-scale sine: with `active`, the least peak of a stream
FIRST = 100  # frames at the beginning that are normalised together
_Array = NDArray[np.float64]


class RunningFeatures:
    """Samples to features.

    A whole file is normalised by its own mean, deviation and peak. A stream knows these only at its end. Its first
    FIRST frames wait for each other and are normalised together. Each later frame is returned at once, normalised by
    the statistics of the corpus and of all frames so far, and by the peak so far.

    With the front end `active` a frame counts in the statistics if an active frame lies at most HOLD frames before it.
    The peak begins at SOFT, so that silence before the speech is not taken for speech.
    """

    def __init__(self, mean: Tensor, deviation: Tensor, front_end: FrontEnd = FrontEnd.absolute) -> None:
        self._front_end = front_end
        self._samples = torch.zeros(0)
        self._waiting: _Array | None = np.zeros((0, len(mean)))  # power, (frames, bins), until there are FIRST
        average, spread = mean.double().numpy(), deviation.double().numpy()
        self._count = PRIOR[front_end]
        self._sums = self._count * np.concatenate([average, spread**2 + average**2])  # of values, then of squares
        self._peak = SOFT if front_end is FrontEnd.active else 0.0  # power, of all frames so far
        self._quiet = HOLD  # frames since the last active one

    def feed(self, samples: Tensor) -> Tensor:
        """(n,) float in [-1, 1] at 16 kHz -> (bins, frames) that the samples complete; maybe none."""
        self._samples = torch.cat([self._samples, samples])
        complete = frames(len(self._samples))
        if complete == 0:
            return self._none()
        power = power_of_few(self._samples)
        self._samples = self._samples[complete * STEP :].clone()  # a view would keep all
        if self._waiting is None:
            return self._normalised(power)
        self._waiting = np.concatenate([self._waiting, power])
        if len(self._waiting) < FIRST:
            return self._none()
        first, later = self._waiting[:FIRST], self._waiting[FIRST:]
        return torch.cat([self._normalised_together(first), self._normalised(later)], dim=1)

    def finish(self) -> Tensor:
        """Returns the frames that still wait, (bins, frames); maybe none."""
        return self._none() if self._waiting is None else self._normalised_together(self._waiting)

    def _none(self) -> Tensor:
        return torch.zeros(len(self._sums) // 2, 0)

    def _normalised_together(self, power: _Array) -> Tensor:
        """Returns the first frames, normalised by all of them; later frames no longer wait."""
        self._waiting = None
        levels = power[:, LOWEST:].max(1, initial=0.0)
        self._peak = float(levels.max(initial=self._peak))
        log = log_of(power, self._peak, self._front_end)
        self._summed(log, self._counts(levels, np.full(len(levels), self._peak)))
        return self._scaled(log, self._count, self._sums)

    def _normalised(self, power: _Array) -> Tensor:
        if len(power) == 0:
            return self._none()
        levels = power[:, LOWEST:].max(1)
        peaks = np.maximum.accumulate(levels).clip(self._peak)
        self._peak = float(peaks[-1])
        log = log_of(power, peaks[:, None], self._front_end)
        return self._scaled(log, *self._summed(log, self._counts(levels, peaks)))

    def _counts(self, levels: _Array, peaks: _Array) -> _Array:
        """Returns 1 for each frame that counts in the statistics, and 0 for the others."""
        counts = np.ones(len(levels))
        if self._front_end is FrontEnd.active:
            for index, active in enumerate(levels >= ACTIVE * peaks):
                self._quiet = 0 if active else self._quiet + 1
                counts[index] = self._quiet <= HOLD
        return counts

    def _summed(self, log: _Array, counts: _Array) -> tuple[_Array, _Array]:
        """Adds the frames; returns the count, (frames, 1), and the sums, (frames, 2 bins), after each of them."""
        count: _Array = self._count + counts.cumsum()[:, None]
        sums: _Array = self._sums + (counts[:, None] * np.concatenate([log, log * log], axis=1)).cumsum(0)
        if len(log):
            self._count, self._sums = float(count[-1, 0]), sums[-1].copy()
        return count, sums

    def _scaled(self, log: _Array, count: _Array | float, sums: _Array) -> Tensor:
        """(frames, bins) -> (bins, frames), normalised by the sums over `count` frames."""
        bins, means = log.shape[1], sums / count
        mean, square = means[..., :bins], means[..., bins:]
        deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
        least = self._front_end.least_deviation
        divisor = np.maximum(deviation, least) if least else deviation + DEVIATION_FLOOR
        return torch.from_numpy(((log - mean) / divisor).astype(np.float32).T)
