"""Audio of any rate is read as what it sounds like; batches are alike in length and come in a known order."""

import math
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from prune_rnn.data.batch import Utterance, batches, collate, epoch_order, read_audio
from prune_rnn.data.loader import load
from prune_rnn.speech.features import log_spectrogram
from prune_rnn.speech.text import encode


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * math.pi * hertz * np.arange(round(seconds * rate)) / rate)


def peak(waveform: Tensor) -> float:
    """Returns the strongest frequency, in hertz at 16 kHz."""
    return float(torch.fft.rfft(waveform).abs().argmax()) * 16000 / len(waveform)


# --- audio ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_a_tone_stays_the_same_tone_at_any_rate(tmp_path: Path, rate: int, channels: int) -> None:
    soundfile.write(tmp_path / "tone.wav", np.stack([tone(1000, rate)] * channels, 1), rate)
    waveform = read_audio(tmp_path / "tone.wav")
    assert waveform.dtype == torch.float32
    assert waveform.shape == (-(-round(0.5 * rate) * 16000 // rate),)  # half a second, rounded up
    assert peak(waveform) == pytest.approx(1000, abs=1)
    assert waveform.square().mean().sqrt() == pytest.approx(0.5 / math.sqrt(2), rel=0.02)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au", "w64", "ogg", "mp3", "flac"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_file_that_is_cut_off_is_refused_by_name(tmp_path: Path, suffix: str, rate: int) -> None:
    path = tmp_path / f"cut.{suffix}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 4 * rate), rate)
    assert abs(len(read_audio(path)) - 64_000) < 3000
    content = path.read_bytes()
    for share in (0.25, 0.5, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(OSError, match=rf"cut\.{suffix} (is cut off|can't be decoded)"):
            read_audio(path)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_16_kilohertz_are_read_to_the_bit(tmp_path: Path, suffix: str) -> None:
    wanted = np.array([0, 16384, -16384, 32767, -32768], dtype=np.int16)
    soundfile.write(tmp_path / f"a.{suffix}", wanted, 16000)
    assert read_audio(tmp_path / f"a.{suffix}").tolist() == (wanted / 32768).tolist()


@pytest.mark.parametrize("rate", [16000, 8000])
def test_channels_are_averaged(tmp_path: Path, rate: int) -> None:
    one, two = tone(500, rate), tone(1500, rate)
    soundfile.write(tmp_path / "both.wav", np.stack([one, two], 1), rate, subtype="FLOAT")
    soundfile.write(tmp_path / "mean.wav", (one + two) / 2, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "against.wav", np.stack([one, -one], 1), rate, subtype="FLOAT")
    torch.testing.assert_close(read_audio(tmp_path / "both.wav"), read_audio(tmp_path / "mean.wav"))
    assert read_audio(tmp_path / "against.wav").abs().max() == 0


def test_what_is_no_sound_raises(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(OSError, match=r"a\.wav can't be decoded"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("bad", "what"), [(np.nan, "samples that are not finite"), (np.inf, "samples that are not finite"), (1e30, "1e+30")]
)
def test_samples_that_are_no_sound_are_refused_by_name(
    tmp_path: Path, bad: float, what: str, noises: list[Utterance]
) -> None:
    samples = np.zeros((1600, 2), dtype=np.float32)
    samples[7, 1] = bad
    path = tmp_path / "bad.wav"
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"bad\.wav: holds ") as error:
        read_audio(path)
    assert what in str(error.value)
    for workers in (0, 1):
        with pytest.raises(ValueError, match=r"bad\.wav: holds ") as error:
            list(load([noises, [Utterance(path, 9, "a")]], workers))
        assert "\n" not in str(error.value)


def test_a_float_file_may_pass_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.full(1600, 30.0), 16000, subtype="FLOAT")
    assert read_audio(tmp_path / "loud.wav").max() == 30


def test_a_wav_file_that_is_cut_off_is_refused_and_one_from_a_pipe_is_read(tmp_path: Path) -> None:
    """A pipe's header says the greatest size there is."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(1600), 16000)
    content = path.read_bytes()
    path.write_bytes(content[:-66])
    with pytest.raises(OSError, match=r"a\.wav is cut off: it has 3,178 of 3,244 bytes"):
        read_audio(path)
    path.write_bytes(content[:4] + b"\xff" * 4 + content[8:40] + b"\xff" * 4 + content[44:-66])
    assert len(read_audio(path)) == 1600 - 33


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(OSError, match=r"pipe\.wav: is not a file"):
        read_audio(tmp_path / "pipe.wav")


@pytest.mark.parametrize("rate", [1, 3999, 44101])
def test_a_rate_that_is_no_speechs_is_refused(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(2000), rate)
    with pytest.raises(ValueError, match=rf"a\.wav: has a sample rate of {rate} Hz"):
        read_audio(tmp_path / "a.wav")


# --- batch ------------------------------------------------------------------------------------------------------------


def test_collate_gives_shapes_order_and_zero_padding(noises: list[Utterance]) -> None:
    given = noises
    found = collate(given)
    assert found.features.shape == (3, 161, 11)
    assert found.features.is_contiguous()
    assert found.lengths.tolist() == [5, 11, 3] == [u.frames for u in given]
    assert found.labels.tolist() == [encode("ab") + [0] * 5, encode("a cat's"), encode("z") + [0] * 6]
    assert found.label_lengths.tolist() == [2, 7, 1]
    assert found.transcripts == ["ab", "a cat's", "z"]
    assert {found.lengths.dtype, found.labels.dtype, found.label_lengths.dtype} == {torch.int64}
    for i, utterance in enumerate(given):
        own = found.features[i, :, : utterance.frames]
        assert torch.equal(own, log_spectrogram(read_audio(utterance.audio)))
        assert own.abs().max() > 0
        assert found.features[i, :, utterance.frames :].count_nonzero() == 0


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_parts_are_every_worlds_utterance(world: int, noises: list[Utterance]) -> None:
    whole = replace(collate(noises), alphabet="_' another")
    for rank in range(world):
        part, own = whole.part(rank, world), [i for i in range(3) if i % world == rank]
        assert part.alphabet == whole.alphabet
        assert part.transcripts == [whole.transcripts[i] for i in own]
        for name in ("features", "lengths", "labels", "label_lengths"):
            assert torch.equal(getattr(part, name), getattr(whole, name)[own])


# --- order ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 9))
def test_batches_are_full_but_the_last_and_sorted_by_length(lengths: list[int], size: int) -> None:
    given = [Utterance(Path(f"{i}.wav"), length, "a") for i, length in enumerate(lengths)]
    found = batches(given, size)
    assert [len(group) for group in found] == [size] * (len(given) // size) + [len(given) % size] * bool(
        len(given) % size
    )
    flat = [utterance for group in found for utterance in group]
    assert [utterance.frames for utterance in flat] == sorted(lengths)
    assert sorted(flat, key=lambda u: u.audio) == sorted(given, key=lambda u: u.audio)


def test_batches_do_not_depend_on_the_order_of_the_manifest() -> None:
    given = [Utterance(Path(f"{i}.wav"), i % 3, f"a{'b' * i}") for i in range(10)]
    wanted = batches(given, 4)
    random.Random(0).shuffle(given)
    assert batches(given, 4) == wanted


def test_the_first_epoch_is_in_order_of_length_and_the_others_are_not() -> None:
    assert epoch_order(20, seed=3, epoch=1, steps=20) == list(range(20))
    for epoch in (2, 3, 20):
        order = epoch_order(20, seed=3, epoch=epoch, steps=20)
        assert sorted(order) == list(range(20))
        assert order != list(range(20))


@pytest.mark.parametrize("steps", [1, 3, 7, 8, 20, 45])
def test_epochs_of_any_length_pass_through_all_batches_again_and_again(steps: int) -> None:
    """After n steps of passes over 20 batches, each batch has been taken n // 20 times or once more."""
    taken: list[int] = []
    for epoch in range(1, 30):
        order = epoch_order(20, seed=1, epoch=epoch, steps=steps)
        assert len(order) == steps
        taken += order
        counts = [taken.count(batch) for batch in range(20)]
        assert set(counts) <= {len(taken) // 20, len(taken) // 20 + 1}


def test_a_short_first_epoch_is_in_order_of_length_and_not_of_the_shortest_only() -> None:
    first = epoch_order(100, seed=0, epoch=1, steps=30)
    assert first == sorted(first) and max(first) > 50


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    random.seed(0)
    first = epoch_order(20, seed=0, epoch=2, steps=20)
    before = random.getstate()
    assert epoch_order(20, seed=0, epoch=2, steps=20) == first
    assert random.getstate() == before  # nobody else's numbers are drawn
    others = [epoch_order(20, seed, epoch, steps=20) for seed, epoch in ((0, 3), (1, 2), (1, 3))]
    assert all(other != first for other in others)
    # seed 1, epoch 12 is not seed 11, epoch 2
    assert epoch_order(20, seed=1, epoch=12, steps=20) != epoch_order(20, seed=11, epoch=2, steps=20)


def test_the_order_is_the_same_on_every_machine() -> None:
    """Pinned: another order is another run under the same name."""
    assert epoch_order(8, seed=0, epoch=2, steps=8) == [2, 1, 7, 6, 3, 0, 4, 5]
    assert epoch_order(8, seed=0, epoch=3, steps=4) == [2, 1, 7, 6]
