"""Augmentation changes what is asked for, by draws that follow from a seed, and keeps what CTC needs."""

import random
from pathlib import Path

import pytest
import torch

from prune_rnn.data.augment import Masks, check, masked, sped
from prune_rnn.data.batch import Batch, Utterance, played

NONE = Masks(0, 40, 0, 40)


def batch(frames: int = 100) -> Batch:
    features = torch.ones(2, 161, frames)
    features[1, :, frames // 2 :] = 0
    lengths = torch.tensor([frames, frames // 2])
    return Batch(features, lengths, torch.ones(2, 1, dtype=torch.long), torch.tensor([1, 1]), ["a", "b"])


def utterances(count: int, frames: int = 200, transcript: str = "abc") -> list[Utterance]:
    return [Utterance(Path(f"{number}.wav"), frames, transcript) for number in range(count)]


def test_nothing_is_changed_unless_it_is_asked_for() -> None:
    given, own = batch(), utterances(3)
    assert masked(given, NONE, random.Random(0)) is given and sped(own, [1.0], random.Random(0)) is own


def test_a_mask_hides_bands_and_stretches_up_to_its_width() -> None:
    """Two bands of at most 30 bins, two stretches of at most 8 frames; each is whole, and 0 is the mean."""
    hidden_bins, hidden_frames = [], []
    for seed in range(50):
        found = masked(batch(), Masks(2, 30, 0, 1), random.Random(seed)).features[0] == 0
        hidden_bins.append(int(found[:, 0].sum()))
        assert torch.equal(found, found[:, :1].expand_as(found))
        found = masked(batch(), Masks(0, 1, 2, 8), random.Random(seed)).features[0] == 0
        hidden_frames.append(int(found[0].sum()))
        assert torch.equal(found, found[:1].expand_as(found))
    assert 0 <= min(hidden_bins) < 20 and 40 < max(hidden_bins) <= 60
    assert 0 <= min(hidden_frames) < 6 and 10 < max(hidden_frames) <= 16


def test_a_stretch_hides_a_fifth_of_the_utterance_at_most_and_none_of_the_padding() -> None:
    found = [masked(batch(100), Masks(0, 1, 1, 1000), random.Random(seed)).features for seed in range(50)]
    assert max(int((one[1, 0, :50] == 0).sum()) for one in found) <= 10
    assert max(int((one[0, 0] == 0).sum()) for one in found) <= 20


def test_the_same_draws_give_the_same_and_leave_the_batch_as_it_was() -> None:
    given = batch()
    one, other = (masked(given, Masks(2, 30, 2, 8), random.Random(7)).features for _ in range(2))
    assert torch.equal(one, other) and not torch.equal(one, given.features) and given.features[0].min() == 1


def test_speeds_are_drawn_for_each_utterance() -> None:
    found = sped(utterances(300), [0.9, 1.0, 1.1], random.Random(0))
    counts = {speed: sum(u.speed == speed for u in found) for speed in (0.9, 1.0, 1.1)}
    assert sum(counts.values()) == 300 and min(counts.values()) > 70
    assert {u.frames for u in found if u.speed == 0.9} == {221} and {u.frames for u in found if u.speed == 1} == {200}


def test_an_utterance_stays_as_slow_as_its_transcript_needs() -> None:
    """20 frames are 10 outputs, just enough for 10 characters; at 1.1 they are 8."""
    (found,) = sped(utterances(1, 20, "abcdefghij"), [1.1], random.Random(0))
    assert found.speed == 1


@pytest.mark.parametrize(("speed", "samples"), [(1.0, 16_000), (0.8, 20_000), (1.25, 12_800)])
def test_a_faster_one_is_shorter_and_higher(speed: float, samples: int) -> None:
    """A tone of 1000 Hz becomes one of 1000 Hz times the speed."""
    found = played(torch.sin(2 * torch.pi * 1000 * torch.arange(16_000) / 16_000), speed)
    assert len(found) == samples
    peak = torch.fft.rfft(found).abs().argmax() * 16_000 / samples
    assert float(peak) == pytest.approx(1000 * speed, abs=2)


@pytest.mark.parametrize(
    ("speeds", "masks", "message"),
    [
        ([], NONE, r"train\.speeds=\[\]: give factors of 0\.5 to 2\.0"),
        ([1.0, 3.0], NONE, r"train\.speeds=\[1\.0, 3\.0\]"),
        ([1.0], Masks(-1, 40, 0, 40), r"train\.bin_masks=-1"),
        ([1.0], Masks(1, 0, 0, 40), r"train\.bin_mask_width=0"),
        ([1.0], Masks(1, 1, 1, 0), r"train\.frame_mask_width=0"),
    ],
)
def test_what_is_out_of_range_is_named(speeds: list[float], masks: Masks, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(speeds, masks)
