"""Streaming: samples in, characters out, for networks that run only forward in time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from prune_rnn.deploy.advance import Memory, advance
from prune_rnn.deploy.network import Network
from prune_rnn.speech.features import DEVIATION_FLOOR, STEP, frames, log_of, power_of_few
from prune_rnn.speech.front_end import LOWEST, FrontEnd
from prune_rnn.speech.text import ALPHABET, BLANK

PIECE = 2 * STEP  # samples fed at a time: 20 ms, one output frame
PRIOR = 3.0  # weight of the corpus's statistics, in frames
FIRST = 100  # frames at the beginning that are normalised together
LOUDEST = 2.0  # the greatest sample: resampling may pass 1, but not by so much
_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)  # of samples
_Array = NDArray[np.float64]


class RunningFeatures:
    """Samples to features; each bin is normalised by the stream so far and the corpus's own statistics.

    A whole file is normalised by its own mean, deviation and (front end `relative`) peak. A stream knows these only at
    its end. Its first FIRST frames wait for each other and are normalised together. Each later frame is returned at
    once, normalised by the statistics and the peak of all frames so far.
    """

    def __init__(self, mean: Tensor, deviation: Tensor, front_end: FrontEnd = FrontEnd.absolute) -> None:
        self._front_end = front_end
        self._peak = 0.0  # power, of all frames so far
        self._samples = torch.zeros(0)
        self._waiting: _Array | None = np.zeros((0, len(mean)))  # power, (frames, bins), until there are FIRST
        self._count = PRIOR
        average, spread = mean.double().numpy(), deviation.double().numpy()
        self._sums = PRIOR * np.concatenate([average, spread**2 + average**2])  # of values, then of squares

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
        self._peak = float(power[:, LOWEST:].max(initial=0.0))
        log = log_of(power, self._peak, self._front_end)
        self._summed(log)
        return self._scaled(log, self._count, self._sums)

    def _normalised(self, power: _Array) -> Tensor:
        if len(power) == 0:
            return self._none()
        peaks = np.maximum.accumulate(power[:, LOWEST:].max(1)).clip(self._peak)[:, None]
        self._peak = float(peaks[-1, 0])
        log = log_of(power, peaks, self._front_end)
        return self._scaled(log, *self._summed(log))

    def _summed(self, log: _Array) -> tuple[_Array, _Array]:
        """Adds the frames; returns the count, (frames, 1), and the sums, (frames, 2 bins), after each of them."""
        count: _Array = self._count + np.arange(1.0, len(log) + 1)[:, None]
        sums: _Array = self._sums + np.concatenate([log, log * log], axis=1).cumsum(0)
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


class GreedyStream:
    """Greedy CTC decoding of log-probabilities as they come: repeats merged, then blanks dropped."""

    def __init__(self, alphabet: str = ALPHABET) -> None:
        self._alphabet, self._last = alphabet, BLANK

    def feed(self, log_probs: Tensor) -> str:
        """(frames, symbols) -> the characters that they add."""
        text = ""
        for label in log_probs.argmax(-1).tolist():
            if label not in (self._last, BLANK):
                text += self._alphabet[label]
            self._last = label
        return text


def checked(samples: ArrayLike | Tensor, whose: str = "") -> Tensor:
    """Returns samples (an array, a tensor or a list) as (n,) float32 without gradient; errors name `whose`.

    ValueError where there is more than one channel, or they are not floating-point numbers from -LOUDEST to LOUDEST.
    """
    way = 'give float in [-1, 1], as soundfile.read(..., dtype="float32") does'
    if isinstance(samples, np.ndarray) and not samples.flags.writeable:  # as frombuffer's: torch would warn
        samples = samples.copy()
    try:
        given = torch.as_tensor(samples, device="cpu").detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"samples{whose} that are no array of numbers ({error}): {way}") from None
    if given.dim() != 1:
        raise ValueError(f"samples of shape {tuple(given.shape)}{whose}: give one channel, (samples,)")
    if given.layout is not torch.strided:
        raise ValueError(f"samples of layout {str(given.layout).removeprefix('torch.')}{whose}: give a dense tensor")
    if given.dtype not in _TYPES:
        raise ValueError(f"samples of type {str(given.dtype).removeprefix('torch.')}{whose}: {way}")
    peak = float(given.abs().max()) if len(given) else 0.0  # NaN where any sample is
    if not peak <= LOUDEST:
        what = f"a sample beyond {LOUDEST:g} ({peak:.4g})" if math.isfinite(peak) else "samples that are not finite"
        raise ValueError(f"{what}{whose}: {way}")
    return given.float()


class Stream:
    """Samples in, characters out. ValueError for a network that runs backward in time."""

    def __init__(self, network: Network) -> None:
        self.features = RunningFeatures(network.mean, network.deviation, network.coding.front_end)
        self.network, self.memory = network, Memory(network)
        self.text = GreedyStream(network.coding.alphabet)

    def feed(self, samples: ArrayLike | Tensor) -> str:
        """(n,) float in [-1, 1] at 16 kHz, as soundfile.read(..., dtype="float32") returns -> the characters added.

        samples: an array, a tensor or a list. Text is about 0.9 s late, as the network looks ahead, and the first
        second gives none. ValueError for another shape, integers, and samples that are not finite or beyond LOUDEST;
        the stream is then unchanged.
        """
        return self.feed_checked(checked(samples))

    def feed_checked(self, samples: Tensor) -> str:
        """The same for samples from `checked` or `read_audio`."""
        return self._characters(self.features.feed(samples), last=False)

    def finish(self) -> str:
        """Returns the last characters; ends the stream."""
        return self._characters(self.features.finish(), last=True)

    def _characters(self, features: Tensor, last: bool) -> str:
        return self.text.feed(advance(self.network, [self.memory], [features], last)[0])


def streamed_text(network: Network, waveform: Tensor, write: Callable[[str], object] = lambda text: None) -> str:
    """Returns the text of (samples,) at 16 kHz, fed 20 ms at a time; calls `write` with each new piece of text."""
    stream, text = Stream(network), ""
    for samples in waveform.split(PIECE):
        if found := stream.feed_checked(samples):
            write(found)
            text += found
    if found := stream.finish():
        write(found)
    return text + found
