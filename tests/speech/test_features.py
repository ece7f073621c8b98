"""A frame is 20 ms, a step 10 ms, a bin 50 Hz; each bin is normalised over its utterance."""

import math

import pytest
import torch

from prune_rnn.speech import features
from prune_rnn.speech.features import BINS, SAMPLE_RATE, frames, log_spectrogram
from prune_rnn.speech.front_end import FrontEnd


@pytest.mark.parametrize(
    ("samples", "found"),
    [(0, 0), (1, 0), (160, 0), (319, 0), (320, 1), (479, 1), (480, 2), (640, 3), (SAMPLE_RATE, 99)],
)
def test_frames_counts_whole_windows(samples: int, found: int) -> None:
    assert frames(samples) == found


@pytest.mark.parametrize("samples", [320, 479, 480, 1234])
def test_as_many_frames_as_announced_of_161_bins(samples: int) -> None:
    found = log_spectrogram(torch.rand(samples, generator=torch.Generator().manual_seed(0)) - 0.5)
    assert found.shape == (161, frames(samples))
    assert BINS == 161
    assert found.dtype == torch.float32


@pytest.mark.parametrize("samples", [0, 319])
def test_less_than_a_window_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match=f"{samples} samples is shorter than one window of 320"):
        log_spectrogram(torch.zeros(samples))


def test_each_bin_has_mean_0_and_deviation_1() -> None:
    noise = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    found = log_spectrogram(noise)
    torch.testing.assert_close(found.mean(1), torch.zeros(161), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.std(1, correction=0), torch.ones(161), atol=1e-3, rtol=0)


@pytest.mark.parametrize("front_end", FrontEnd)
def test_a_long_recording_in_parts_has_the_features_of_the_whole(
    front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    whole = log_spectrogram(noise, front_end)
    monkeypatch.setattr(features, "LONG", 7)
    torch.testing.assert_close(log_spectrogram(noise, front_end), whole, atol=1e-5, rtol=1e-5)


def test_loudness_does_not_matter() -> None:
    noise = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    torch.testing.assert_close(log_spectrogram(noise), log_spectrogram(noise * 4), atol=1e-4, rtol=1e-4)


def test_silence_gives_zeros() -> None:
    assert log_spectrogram(torch.zeros(2000)).abs().max() == 0


def test_a_tone_that_starts_halfway_lifts_its_own_bin_from_that_frame_on() -> None:
    """1000 Hz is bin 20. It starts at sample 4800: frame 28 (4480 to 4799) is the last one without it, and frame 30 the
    first (4800 to 5119) full of it."""
    time = torch.arange(9600) / SAMPLE_RATE
    noise = torch.randn(9600, generator=torch.Generator().manual_seed(0)) * 1e-3
    found = log_spectrogram(noise + (time >= 0.3) * torch.sin(2 * math.pi * 1000 * time))
    assert found[20, :29].max() < 0 < found[20, 30:].min()
    lift = found[:, 30:].mean(1) - found[:, :29].mean(1)  # in deviations: 2 where the two halves are all there is
    assert lift[20] > 1.8
    assert lift[120:].abs().max() < 1


def test_the_values_by_definition() -> None:
    """Log power of a Hann-windowed Fourier transform, normalised; two frames, so each bin is +1 and -1."""
    waveform = torch.randn(480, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    window = torch.hann_window(320, dtype=torch.float64)
    power = torch.stack([torch.fft.rfft(waveform[i : i + 320] * window).abs() ** 2 for i in (0, 160)], dim=1)
    log = power.log()
    half = (log[:, 1] - log[:, 0]) / 2
    wanted = torch.stack([-half, half], 1) / (half.abs() + 1e-5)[:, None]
    torch.testing.assert_close(log_spectrogram(waveform.float()).double(), wanted, atol=1e-3, rtol=0)
