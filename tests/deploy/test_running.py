"""Features of a stream are those of what was heard so far, whatever the pieces."""

import pytest
import torch

from prune_rnn.deploy import running
from prune_rnn.deploy.running import RunningFeatures
from prune_rnn.speech.features import log_power, log_spectrogram
from prune_rnn.speech.front_end import FrontEnd

BINS = 161


def streamed(samples: torch.Tensor, piece: int, features: RunningFeatures) -> torch.Tensor:
    return torch.cat([*(features.feed(part) for part in samples.split(piece)), features.finish()], dim=1)


@pytest.mark.parametrize("held", [5, 17, 30])
@pytest.mark.parametrize("piece", [1, 100, 320, 777, 100_000])
def test_features_are_normalised_by_what_was_heard_and_the_corpus(
    piece: int, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "FIRST", held)
    samples = torch.randn(3000, generator=torch.Generator().manual_seed(0)) * 0.1
    mean, deviation = torch.full((BINS,), -3.0), torch.full((BINS,), 2.0)
    found = streamed(samples, piece, RunningFeatures(mean, deviation))
    log = log_power(samples).double()
    assert found.shape == log.shape == (BINS, 17)
    for frame in (0, 5, 16):  # as if 3 frames of the corpus came first; the first `held` know each other
        heard = min(17, max(frame + 1, held))
        average = (3 * -3.0 + log[:, :heard].sum(1)) / (3 + heard)
        square = (3 * (4.0 + 9.0) + (log[:, :heard] ** 2).sum(1)) / (3 + heard)
        wanted = (log[:, frame] - average) / ((square - average**2).sqrt() + 1e-5)
        torch.testing.assert_close(found[:, frame].double(), wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("piece", [1, 320, 777, 100_000])
def test_the_relative_floor_follows_the_peak_of_what_was_heard(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second half is ten times as loud: its floor is 20 dB higher, and the first half's is its own."""
    monkeypatch.setattr(running, "FIRST", 5)
    samples = torch.randn(3200, generator=torch.Generator().manual_seed(0)) * 0.01
    samples[1600:] *= 10
    found = streamed(samples, piece, RunningFeatures(torch.zeros(BINS), torch.ones(BINS), FrontEnd.relative))
    powers = torch.stack([torch.fft.rfft(w * torch.hann_window(320)).abs() ** 2 for w in samples.unfold(0, 320, 160)])
    peaks = powers[:, 2:].amax(1).double()
    peaks[:5] = peaks[:5].max()
    log = (powers.double() / peaks.cummax(0).values[:, None] + 1e-6).log()
    for frame in (0, 7, 18):
        heard = log[: max(frame + 1, 5)]
        average = heard.sum(0) / (3 + len(heard))
        square = (3 * 1.0 + (heard**2).sum(0)) / (3 + len(heard))
        wanted = (log[frame] - average) / (square - average**2).sqrt().clamp_min(1.0)
        torch.testing.assert_close(found[:, frame].double(), wanted, atol=1e-3, rtol=1e-3)


def speech(seconds: float = 4.0, loud: float = 0.3) -> torch.Tensor:
    """Returns noise that swells and fades twice a second, at 16 kHz."""
    time = torch.arange(int(16_000 * seconds)) / 16_000
    noise = torch.randn(len(time), generator=torch.Generator().manual_seed(0))
    return loud * noise * (1.01 + torch.sin(2 * torch.pi * 2 * time)) / 2


def active(piece: int, samples: torch.Tensor) -> torch.Tensor:
    """Returns features with the front end `active`; the corpus's statistics are near those of `speech`."""
    log = log_power(speech(), FrontEnd.active)
    return streamed(samples, piece, RunningFeatures(log.mean(1), log.std(1), FrontEnd.active))


@pytest.mark.parametrize("piece", [320, 777, 200_000])
@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_before_speech_does_not_change_it(level: float, piece: int) -> None:
    """Ten seconds of zeros, or of noise 60 dB below the speech; compared from its third second on."""
    before = level * torch.randn(160_000, generator=torch.Generator().manual_seed(1))
    found, alone = active(piece, torch.cat([before, speech()])), active(piece, speech())
    assert float((found[:, 1000:][:, 200:] - alone[:, 200:]).square().mean().sqrt()) < 0.1


@pytest.mark.parametrize("piece", [320, 777, 200_000])
def test_the_active_features_by_definition(piece: int) -> None:
    """Speech, half a second of silence, and speech. A frame counts while at most 25 quiet ones precede it; the corpus
    counts for 30 frames, and the peak is at least 64."""
    samples = torch.cat([speech(1.5, 0.03), 1e-6 * speech(0.5), speech(1.0, 0.03)])
    mean, deviation = torch.full((BINS,), -8.0), torch.full((BINS,), 2.0)
    found = streamed(samples, piece, RunningFeatures(mean, deviation, FrontEnd.active))
    powers = torch.stack([torch.fft.rfft(w * torch.hann_window(320)).abs() ** 2 for w in samples.unfold(0, 320, 160)])
    levels = powers[:, 2:].amax(1).double()
    assert 0.1 < levels.max() < 64  # so the peak stays 64
    log = (powers.double() / 64 + 1e-6).log()
    heard = [bool((levels[max(0, frame - 25) : frame + 1] >= 0.064).any()) for frame in range(len(levels))]
    assert 20 < heard.count(False) < 30
    counts = torch.tensor(heard).double()[:, None]
    for frame in (0, 120, 160, 230, 280):
        last = max(frame + 1, 100)
        total = 30 + counts[:last].sum()
        average = (30 * -8.0 + (counts * log)[:last].sum(0)) / total
        square = (30 * (4.0 + 64.0) + (counts * log**2)[:last].sum(0)) / total
        wanted = (log[frame] - average) / (square - average**2).sqrt().clamp_min(1.0)
        torch.testing.assert_close(found[:, frame].double(), wanted, atol=1e-3, rtol=1e-3)


def test_silence_before_speech_changes_it_with_the_relative_one() -> None:
    log = log_power(speech(), FrontEnd.relative)
    found, alone = (
        streamed(samples, 320, RunningFeatures(log.mean(1), log.std(1), FrontEnd.relative))
        for samples in (torch.cat([torch.zeros(160_000), speech()]), speech())
    )
    assert float((found[:, 1000:][:, 200:] - alone[:, 200:]).square().mean().sqrt()) > 0.5


@pytest.mark.parametrize("piece", [320, 777, 200_000])
def test_a_pause_in_speech_does_not_change_what_follows(piece: int) -> None:
    """Of ten seconds of zeros the first 25 frames count, as long as a pause between two words."""
    pause = torch.zeros(160_000)
    found, alone = active(piece, torch.cat([speech(), pause, speech()])), active(piece, torch.cat([speech(), speech()]))
    assert float((found[:, 1400:] - alone[:, 400:]).square().mean().sqrt()) < 0.25


def test_a_long_stream_has_the_features_of_the_whole_file() -> None:
    whole = log_spectrogram(speech(40.0), FrontEnd.active)
    assert float((active(320, speech(40.0)) - whole)[:, 3000:].square().mean().sqrt()) < 0.1
