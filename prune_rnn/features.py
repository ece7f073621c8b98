"""Waveform to log power spectrogram: 161 bins, 20 ms window, 10 ms step, at 16 kHz."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SAMPLE_RATE = 16_000  # Hz
WINDOW = 320  # samples: 20 ms
STEP = 160  # samples: 10 ms
BINS = WINDOW // 2 + 1  # 161
DEVIATION_FLOOR = 1e-5  # added to a deviation before the division
_FLOOR = 1e-10  # power: the quantisation noise of 16-bit audio lies above it
_WINDOW = torch.hann_window(WINDOW, device="cpu")
_WIDE_WINDOW = _WINDOW.double().numpy()


def frames(samples: int) -> int:
    """Returns the number of frames of a waveform: whole windows only, 0 where it is shorter than one.

    >>> frames(319), frames(320), frames(16_000)
    (0, 1, 99)
    """
    return max(0, (samples - WINDOW) // STEP + 1)


def log_power(waveform: Tensor) -> Tensor:
    """Returns the log power spectrogram as it is: (samples,) float in [-1, 1] at 16 kHz -> (bins, frames) float32.

    ValueError where the waveform is shorter than one window.
    """
    if frames(len(waveform)) == 0:
        samples = f"{len(waveform)} sample{'s' * (len(waveform) != 1)}"
        raise ValueError(f"a waveform of {samples} is shorter than one window of {WINDOW}")
    windows = waveform.unfold(0, WINDOW, STEP) * _WINDOW.to(waveform.device)
    spectrum: Tensor = torch.fft.rfft(windows)
    return spectrum.abs().square_().clamp_min_(_FLOOR).log_().t()


def log_power_of_few(waveform: Tensor) -> NDArray[np.float64]:
    """Returns the same as (frames, bins) in double precision; for few frames in half the time, and on this thread."""
    spectrum = np.fft.rfft(waveform.unfold(0, WINDOW, STEP).numpy() * _WIDE_WINDOW)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(np.maximum(power, _FLOOR, out=power), out=power)


def log_spectrogram(waveform: Tensor) -> Tensor:
    """Returns the log power spectrogram, each bin with mean 0 and standard deviation 1 over the utterance.

    waveform: (samples,) float in [-1, 1], at 16 kHz, at least one window long (else ValueError).
    Returns (bins, frames), float32.
    """
    log = log_power(waveform)
    centred = log - log.mean(dim=1, keepdim=True)
    deviation = centred.square().mean(dim=1, keepdim=True).sqrt()  # torch.std_mean takes four times as long
    return centred / (deviation + DEVIATION_FLOOR)
