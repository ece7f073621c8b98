"""Augmentation of training speech: other speeds, hidden bins and hidden frames. What is drawn follows from its seed.

Sources: speed, Ko et al. 2015; masks, SpecAugment (Park et al. 2019), without time warping, of which they found little.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prune_rnn.data.batch import Batch, Utterance
from prune_rnn.speech.text import frames_needed
from prune_rnn.usage import within

_SLOWEST, _FASTEST = 0.5, 2.0
_SHARE = 0.2  # of an utterance's frames that one stretch hides at most


@dataclass(frozen=True, slots=True)
class Masks:
    """How many bands of bins and stretches of frames are hidden in an utterance, and how wide each is at most."""

    bins: int
    bin_width: int
    frames: int
    frame_width: int


def check(speeds: Sequence[float], masks: Masks) -> None:
    """Raises ValueError that names the key where a number is out of its range."""
    if not speeds or not all(_SLOWEST <= speed <= _FASTEST for speed in speeds):
        raise ValueError(f"train.speeds={list(speeds)}: give factors of {_SLOWEST} to {_FASTEST}, as [0.9,1.0,1.1]")
    within("train.bin_masks", masks.bins, 0, 100)
    within("train.frame_masks", masks.frames, 0, 100)
    within("train.bin_mask_width", masks.bin_width, 1, 160)
    within("train.frame_mask_width", masks.frame_width, 1, 10_000)


def sped(utterances: Sequence[Utterance], speeds: Sequence[float], draws: random.Random) -> Sequence[Utterance]:
    """Returns the utterances, each with a speed of its own; 1 where it would be too fast for its transcript."""
    if list(speeds) == [1.0]:
        return utterances
    found = []
    for utterance in utterances:
        speed = draws.choice(speeds)
        frames = int(utterance.frames / speed) - 1
        # an output frame is two of these
        fits = frames // 2 >= frames_needed([ord(character) for character in utterance.transcript])
        found.append(replace(utterance, speed=speed, frames=frames) if fits and speed != 1 else utterance)
    return found


def masked(batch: Batch, masks: Masks, draws: random.Random) -> Batch:
    """Returns the batch with bands and stretches of its features set to 0, which is each bin's mean."""
    if not masks.bins + masks.frames:
        return batch
    features = batch.features.clone()
    bins = features.shape[1]
    for own, length in zip(features, batch.lengths.tolist(), strict=True):
        for _ in range(masks.bins):
            width = draws.randint(0, min(masks.bin_width, bins))
            start = draws.randint(0, bins - width)
            own[start : start + width] = 0
        for _ in range(masks.frames):
            width = draws.randint(0, min(masks.frame_width, int(_SHARE * length)))
            start = draws.randint(0, length - width)
            own[:, start : start + width] = 0
    return replace(batch, features=features)
