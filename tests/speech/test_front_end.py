"""A recording sounds the same to the network at every sample rate, with the front ends `relative` and `active`."""

import pytest
import torch
from torchaudio.functional import resample

from prune_rnn.speech.features import counted, log_power, log_spectrogram
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
    assert found[FrontEnd.relative] == found[FrontEnd.active] < 0.25 < 0.4 < found[FrontEnd.absolute]


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


@pytest.mark.parametrize("level", [0.0, 1e-4])
@pytest.mark.parametrize("where", ["before", "after"])
def test_long_silence_does_not_change_how_the_speech_sounds(level: float, where: str) -> None:
    """30 s of zeros, or of noise 60 dB below the speech: of it 25 frames count, beside 198 of speech."""
    rest = level * torch.randn(480_000, generator=torch.Generator().manual_seed(1))
    parts = [rest, narrow(2.0)] if where == "before" else [narrow(2.0), rest]
    apart = {}
    for front_end in (FrontEnd.relative, FrontEnd.active):
        alone, beside = log_spectrogram(narrow(2.0), front_end), log_spectrogram(torch.cat(parts), front_end)
        same = beside[:, -alone.shape[1] :] if where == "before" else beside[:, : alone.shape[1]]
        apart[front_end] = float((same - alone).square().mean().sqrt())
    assert apart[FrontEnd.active] < 0.5 < 1.5 < apart[FrontEnd.relative]


def test_what_counts_is_near_an_active_frame() -> None:
    """A click in frame 100 of 200: it counts with the 25 frames before and after it."""
    log = torch.full((161, 200), -13.8)
    log[:, 100], log[:, 40], log[0, 160] = 0.0, -6.91, 5.0  # frame 40 is 30.01 dB below; bin 0 is no speech
    found = counted(log, FrontEnd.active)
    assert found.shape == (161, 51) and bool((found[5, 25] == 0) & (found[5, :25] == -13.8).all())
    log[:, 40] = -6.90  # 29.97 dB below
    assert counted(log, FrontEnd.active).shape == (161, 102)
    assert counted(log, FrontEnd.relative).shape == (161, 200)


def test_a_short_pause_counts() -> None:
    """Half a second between two words, and every utterance without long silence, sound as with `relative`."""
    waveform = torch.cat([narrow(), torch.zeros(7000), narrow()])
    torch.testing.assert_close(*(log_spectrogram(waveform, each) for each in (FrontEnd.relative, FrontEnd.active)))


def test_networks_of_like_front_ends_serve_each_other() -> None:
    absolute, relative, active = FrontEnd
    assert relative.serves(active) and active.serves(relative) and active.serves(active)
    assert not absolute.serves(active) and not relative.serves(absolute)
