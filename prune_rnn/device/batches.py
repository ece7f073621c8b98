"""Batches for training without reading audio: random ones of the paper's proportions, or speech held in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from prune_rnn.config.config import Config
from prune_rnn.data.batch import Batch, Utterance, batches, collate
from prune_rnn.data.coding import Coding
from prune_rnn.data.utterances import read_manifest
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.run.identity import plain
from prune_rnn.speech.features import BINS
from prune_rnn.speech.text import ALPHABET, encode
from prune_rnn.train.loop import Groups, Load

FRAMES_A_SECOND = 100
SECONDS = 5.5  # of the paper's mean utterance: 2,100 h in 2,700 steps of 512
_CHARACTERS = 14.5  # a second: 110 million in 2,100 h


def randoms(size: int, count: int, seconds: float = SECONDS) -> tuple[Groups, Load]:
    """Returns `count` groups of `size` utterances of noise, `seconds` long on average within 10 %, and their loader."""
    groups = []
    for number in range(count):
        lengths = torch.linspace(0.9, 1.1, size) * seconds if size > 1 else torch.tensor([seconds])
        letters = random.Random(number)
        groups.append(
            [
                Utterance(Path(f"random-{number}"), round(FRAMES_A_SECOND * each), _text(letters, each))
                for each in lengths.tolist()
            ]
        )
    return groups, _kept(groups, _noise)


def spoken(config: Config) -> tuple[Groups, Load]:
    """Returns the groups of the configuration's training split, made where it isn't there yet, and their loader."""
    manifest = config.data.manifests(lambda text: print(text, flush=True))["train"]
    coding = Coding.of(plain(config.data))
    utterances = read_manifest(manifest, DeepSpeech2(config.model).output_frames, False, print, coding=coding)
    groups = batches(utterances, config.train.batch_size)
    return groups, _kept(groups, partial(collate, coding=coding))


def seconds_of(groups: Groups) -> float:
    """Returns the mean seconds of audio in a group."""
    return sum(u.frames for group in groups for u in group) / FRAMES_A_SECOND / len(groups)


def _text(letters: random.Random, seconds: float) -> str:
    return "".join(letters.choices([each for each in ALPHABET if each.isalpha()], k=max(1, int(seconds * _CHARACTERS))))


def _noise(group: Sequence[Utterance]) -> Batch:
    frames = torch.tensor([utterance.frames for utterance in group])
    labels = [torch.tensor(encode(utterance.transcript)) for utterance in group]
    features = torch.randn(len(group), BINS, int(frames.max()), generator=torch.Generator().manual_seed(0))
    return Batch(
        features=features * (torch.arange(features.shape[2]) < frames[:, None])[:, None],
        lengths=frames,
        labels=torch.nn.utils.rnn.pad_sequence(labels, batch_first=True),
        label_lengths=torch.tensor([len(label) for label in labels]),
        transcripts=[utterance.transcript for utterance in group],
    )


def _kept(groups: Groups, made: Callable[[Sequence[Utterance]], Batch]) -> Load:
    """Returns a loader that holds all batches in memory: a step's time has no reading in it."""
    kept = {id(group): made(group) for group in groups}
    return lambda asked: (kept[id(group)] for group in asked)
