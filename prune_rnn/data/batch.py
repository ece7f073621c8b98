"""Utterances, batches by length, and their order: the same for the same seed, from any batch on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader
from torchaudio.functional import resample

from prune_rnn.data.checksums import check_recording
from prune_rnn.features import SAMPLE_RATE, log_spectrogram
from prune_rnn.text import encode


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording with its transcript in the alphabet; `frames` is its number of feature frames.

    speaker: who speaks, where the manifest tells.
    """

    audio: Path
    frames: int
    transcript: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Utterances side by side.

    features: (batch, bins, frames), zero past the end. lengths: (batch,), in frames. labels: (batch, longest), blank
    past the end. label_lengths: (batch,). transcripts: one an utterance.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor
    transcripts: list[str]

    def part(self, rank: int, world: int) -> Batch:
        """Returns every `world`-th utterance from `rank` on."""
        own = slice(rank, None, world)
        return Batch(
            self.features[own], self.lengths[own], self.labels[own], self.label_lengths[own], self.transcripts[own]
        )


def read_audio(path: Path) -> Tensor:
    """Returns the waveform of a sound file, (samples,) float32 at 16 kHz: channels averaged, resampled where needed.

    Raises OSError that names the file where it can't be decoded, or is no more what was made.
    """
    check_recording(path)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: .raw, which says nothing of its rate
        raise OSError(f"{path} can't be decoded ({error}); mend it, or leave it out") from None
    waveform = torch.from_numpy(samples).mean(dim=1)
    return waveform if rate == SAMPLE_RATE else resample(waveform, rate, SAMPLE_RATE)


def collate(utterances: Sequence[Utterance]) -> Batch:
    """Reads the utterances, in their order, into one batch."""
    features = [log_spectrogram(read_audio(u.audio)).t() for u in utterances]  # (frames, bins)
    labels = [torch.tensor(encode(u.transcript)) for u in utterances]
    return Batch(
        features=pad_sequence(features, batch_first=True).transpose(1, 2).contiguous(),
        lengths=torch.tensor([len(f) for f in features]),
        labels=pad_sequence(labels, batch_first=True),
        label_lengths=torch.tensor([len(label) for label in labels]),
        transcripts=[u.transcript for u in utterances],
    )


def batches(utterances: Sequence[Utterance], size: int) -> list[list[Utterance]]:
    """Returns batches of utterances of like length, shortest first; the last may be smaller."""
    ordered = sorted(utterances, key=lambda u: (u.frames, u.transcript))
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]


def epoch_order(count: int, seed: int, epoch: int, steps: int) -> list[int]:
    """Returns the batches, of `count`, that the `steps` steps of an epoch (from 1) take.

    All batches are passed through in a shuffled order, again and again in another, and each epoch takes up where the
    one before ended. The first epoch takes its share by length, shortest first (SortaGrad).
    """
    order: list[int] = []
    begin, end = (epoch - 1) * steps, epoch * steps
    for number in range(begin // count, -(-end // count)):  # passes
        whole = list(range(count))
        random.Random(f"{seed}/{number + 1}").shuffle(whole)
        order += whole[max(0, begin - number * count) : end - number * count]
    return sorted(order) if epoch == 1 else order


def load(groups: Sequence[Sequence[Utterance]], workers: int = 0) -> Iterator[Batch]:
    """Yields one Batch for each group of utterances, in order, read by so many worker processes (0: this one)."""
    ordered: Any = [list(group) for group in groups]  # a list serves as a data set
    yield from DataLoader(ordered, batch_size=None, collate_fn=collate, num_workers=workers, shuffle=False)
