"""A recording sounds the same to the network at every sample rate, with the front end `relative`."""

import pytest
import torch
from torchaudio.functional import resample

from prune_rnn.speech.features import log_power, log_spectrogram
from prune_rnn.speech.front_end import FrontEnd


def narrow(seconds: float = 1.0) -> torch.Tensor:
    """Returns noise below 3 kHz that swells and fades, as telephone speech does, at 16 kHz."""
    noise = torch.randn(int(8000 * seconds), generator=torch.Generator().manual_seed(0))
    band = resample(resample(noise, 8000, 6000), 6000, 16_000)
    return 0.1 * band * (1.01 + torch.sin(torch.arange(len(band)) / 2000))


def written(waveform: torch.Tensor, rate: int) -> torch.Tensor:
    """Returns what is read of a file of 16 bits at that rate."""
    own = waveform if rate == 16_000 else resample(waveform, 16_000, rate)
    read = (own * 32768).round() / 32768
    return read if rate == 16_000 else resample(read, rate, 16_000)


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100])
def test_the_rate_of_a_recording_does_not_matter_to_the_relative_one(rate: int) -> None:
    """Above 4 kHz there is only what rounding and resampling leave: up to a deviation apart where each bin is divided
    by its own, nothing where it is not made louder."""
    found = {}
    for front_end in FrontEnd:
        as_it_is, at_rate = (log_spectrogram(written(narrow(), each), front_end) for each in (16_000, rate))
        frames = min(as_it_is.shape[1], at_rate.shape[1])
        apart = (as_it_is[:, :frames] - at_rate[:, :frames]).square().mean(1).sqrt()
        found[front_end] = float(apart[85:].mean())
    assert found[FrontEnd.relative] < 0.25 < 0.4 < found[FrontEnd.absolute]


def test_the_floor_lies_60_decibels_below_the_peak() -> None:
    """Half of the peak's power and the floor's own: log of (0.5 + 1e-6) and of (0 + 1e-6), below the peak."""
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(1600) / 16_000)
    log = log_power(tone, FrontEnd.relative)
    assert float(log[20].max() - log[100].min()) == pytest.approx(13.816, abs=0.01)  # ln 1e6


def test_an_offset_and_hum_do_not_raise_the_floor() -> None:
    """An offset of 0.5 has 13 times the power of the signal's peak, and all of it below 100 Hz."""
    waveform = narrow()
    plain, offset = (log_power(x, FrontEnd.relative) for x in (waveform, waveform + 0.5))
    torch.testing.assert_close(plain[20:], offset[20:], atol=0.05, rtol=0)


@pytest.mark.parametrize("gain", [0.01, 4.0])
def test_loudness_does_not_matter(gain: float) -> None:
    one, other = (log_spectrogram(x, FrontEnd.relative) for x in (narrow(), gain * narrow()))
    torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_silence_gives_zeros() -> None:
    assert log_spectrogram(torch.zeros(2000), FrontEnd.relative).abs().max() < 1e-5  # the mean, rounded


def test_a_bin_that_changes_little_is_not_made_louder() -> None:
    """A steady tone has next to no deviation, and is not divided by it."""
    time = torch.arange(16_000) / 16_000
    tone = torch.sin(2 * torch.pi * 1000 * time)
    assert log_spectrogram(tone, FrontEnd.relative).abs().max() < 0.1
