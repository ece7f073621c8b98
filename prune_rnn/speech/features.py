"""Waveform to log power spectrogram: 161 bins, 20 ms window, 10 ms step, at 16 kHz."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from prune_rnn.speech.front_end import ACTIVE, BELOW_PEAK, FLOOR, HOLD, LOWEST, SOFTEST, FrontEnd

SAMPLE_RATE = 16_000  # Hz
WINDOW = 320  # samples: 20 ms
STEP = 160  # samples: 10 ms
BINS = WINDOW // 2 + 1  # 161
LONG = 6000  # frames: a minute; a longer recording is computed in parts of this length, which bounds the memory
DEVIATION_FLOOR = 1e-5  # added to a deviation before the division
_WINDOW = torch.hann_window(WINDOW, device="cpu")
_WIDE_WINDOW = _WINDOW.double().numpy()


def frames(samples: int) -> int:
    """Returns the number of frames of a waveform: whole windows only, 0 where it is shorter than one.

    >>> frames(319), frames(320), frames(16_000)
    (0, 1, 99)
    """
    return max(0, (samples - WINDOW) // STEP + 1)


def log_power(waveform: Tensor, front_end: FrontEnd = FrontEnd.absolute) -> Tensor:
    """Returns the log power spectrogram as it is: (samples,) float in [-1, 1] at 16 kHz -> (bins, frames) float32.

    ValueError where the waveform is shorter than one window.
    """
    if frames(len(waveform)) == 0:
        samples = f"{len(waveform)} sample{'s' * (len(waveform) != 1)}"
        raise ValueError(f"a waveform of {samples} is shorter than one window of {WINDOW}")
    windows = waveform.unfold(0, WINDOW, STEP)
    window, power = _WINDOW.to(waveform.device), torch.empty(len(windows), BINS, device=waveform.device)
    for some, its in zip(windows.split(LONG), power.split(LONG), strict=True):
        its.copy_(torch.fft.rfft(some * window).abs()).square_()
    if front_end is FrontEnd.absolute:
        power.clamp_min_(FLOOR)
    else:
        power = power.div_(power[:, LOWEST:].max().clamp_min(SOFTEST)).add_(BELOW_PEAK)
    return power.log_().t()


def power_of_few(waveform: Tensor) -> NDArray[np.float64]:
    """Returns the power spectrogram, (frames, bins), in double precision; for few frames fast, and on this thread."""
    spectrum = np.fft.rfft(waveform.unfold(0, WINDOW, STEP).numpy() * _WIDE_WINDOW)
    power: NDArray[np.float64] = spectrum.real**2 + spectrum.imag**2
    return power


def log_of(power: NDArray[np.float64], peak: float | NDArray[np.float64], front_end: FrontEnd) -> NDArray[np.float64]:
    """(frames, bins) -> its log, as `log_power` takes it. peak: of the utterance, or (frames, 1), of each frame."""
    if front_end is FrontEnd.absolute:
        return np.log(np.maximum(power, FLOOR))
    return np.log(power / np.maximum(peak, SOFTEST) + BELOW_PEAK)


def counted(log: Tensor, front_end: FrontEnd) -> Tensor:
    """Returns a copy of the frames that count in the statistics, at least one.

    log: (bins, frames) from `log_power`. Returns (bins, counted frames).
    """
    if front_end is not FrontEnd.active:
        return log.clone()
    level = log[LOWEST:].amax(0)
    active = (level >= level.amax() + math.log(ACTIVE)).float()
    near = F.max_pool1d(active[None], 2 * HOLD + 1, stride=1, padding=HOLD)[0] > 0
    return log.t()[near].t()


def log_spectrogram(waveform: Tensor, front_end: FrontEnd = FrontEnd.absolute) -> Tensor:
    """Returns the log power spectrogram, less its mean over the utterance and divided by its deviation, bin by bin.

    Mean and deviation are over the frames that count, and the deviation has a minimum: see `FrontEnd`.
    waveform: (samples,) float in [-1, 1], at 16 kHz, at least one window long (else ValueError).
    Returns (bins, frames), float32.
    """
    log = log_power(waveform, front_end)
    some = counted(log, front_end)
    mean = some.mean(dim=1, keepdim=True)
    deviation = some.sub_(mean).square_().mean(dim=1, keepdim=True).sqrt()  # torch.std_mean takes four times as long
    least = front_end.least_deviation
    return log.sub_(mean).div_(deviation.clamp_min(least) if least else deviation + DEVIATION_FLOOR)
