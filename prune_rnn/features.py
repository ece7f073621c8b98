"""Waveform to log power spectrogram: 161 bins, 20 ms window, 10 ms step, at 16 kHz."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torchaudio.functional import spectrogram

SAMPLE_RATE = 16_000  # Hz
WINDOW = 320  # samples: 20 ms
STEP = 160  # samples: 10 ms
BINS = WINDOW // 2 + 1  # 161
DEVIATION_FLOOR = 1e-5  # added to a deviation before the division
_FLOOR = 1e-10  # power: the quantisation noise of 16-bit audio lies above it


def frames(samples: int) -> int:
    """Returns the number of frames of a waveform: whole windows only, 0 where it is shorter than one.

    >>> frames(319), frames(320), frames(16_000)
    (0, 1, 99)
    """
    return max(0, (samples - WINDOW) // STEP + 1)


def log_power(waveform: Tensor) -> Tensor:
    """Returns the log power spectrogram as it is, of (..., samples) float in [-1, 1] at 16 kHz.

    Returns (..., bins, frames), float32. ValueError where the waveform is shorter than one window.
    """
    if frames(waveform.shape[-1]) == 0:
        raise ValueError(f"a waveform of {waveform.shape[-1]} samples is shorter than one window of {WINDOW}")
    window = _window(waveform.device)
    power: Tensor = spectrogram(waveform, 0, window, WINDOW, STEP, WINDOW, power=2.0, normalized=False, center=False)
    return power.clamp_min(_FLOOR).log()


@cache
def _window(device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # whatever it is first asked for in
        return torch.hann_window(WINDOW, device=device)


def log_spectrogram(waveform: Tensor) -> Tensor:
    """Returns the log power spectrogram, each bin with mean 0 and standard deviation 1 over the utterance.

    waveform: (samples,) float in [-1, 1], at 16 kHz, at least one window long (else ValueError).
    Returns (bins, frames), float32.
    """
    log = log_power(waveform)
    centred = log - log.mean(dim=1, keepdim=True)
    deviation = centred.square().mean(dim=1, keepdim=True).sqrt()  # torch.std_mean takes four times as long
    return centred / (deviation + DEVIATION_FLOOR)
