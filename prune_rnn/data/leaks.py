"""Warnings about manifests that share speakers, lines, or recordings in another encoding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn.data.batch import Utterance, read_audio

_SAMPLE = 100  # utterances of a split that are compared, evenly spaced
_CANDIDATES = 10  # of the other split, those nearest in length
_FRAMES_OFF = 12  # by which an encoding may lengthen a recording: MP3 adds some 0.1 s
_PARTS = 64  # of a recording, each with its loudness
_ALIKE = 0.99  # correlation of loudness: measured 0.993 or more after MP3, Ogg or 8 kHz, 0.987 or less of other voices


def warnings(splits: Mapping[str, Sequence[Utterance]]) -> Iterator[str]:
    """Yields each reason, with its numbers, why error rates look too good. splits: by name, in their order."""
    for split, utterances in splits.items():
        times = Counter((utterance.audio.absolute(), utterance.transcript) for utterance in utterances)
        if again := len(utterances) - len(times):
            yield f"data.{split}: {again} of {len(utterances)} lines repeat another one"
    for (one, first), (other, second) in combinations(splits.items(), 2):
        speakers = {u.speaker for u in second if u.speaker is not None}
        if shared := len(speakers & {u.speaker for u in first}):
            yield f"data.{one} and data.{other} share {shared} of the {len(speakers)} speakers of data.{other}"
        compared, found = _encoded_anew(first, second)
        if found:
            yield (
                f"data.{one} and data.{other}: {found} of {compared} recordings of data.{other} that were listened to "
                f"sound like one of data.{one}, with its transcript"
            )


def _encoded_anew(first: Sequence[Utterance], second: Sequence[Utterance]) -> tuple[int, int]:
    """Returns (recordings of `second` that were compared, those of them that `first` has in another file)."""
    by_text: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in first:
        by_text[utterance.transcript].append(utterance)
    pairs = []
    for utterance in second:
        like = [u for u in by_text[utterance.transcript] if abs(u.frames - utterance.frames) <= _FRAMES_OFF]
        if like := [u for u in like if u.audio.absolute() != utterance.audio.absolute()]:
            pairs.append((utterance, sorted(like, key=lambda u: abs(u.frames - utterance.frames))[:_CANDIDATES]))
    count = min(_SAMPLE, len(pairs))
    sample = [pairs[index * len(pairs) // count] for index in range(count)]
    found = sum(any(_sounds_alike(utterance.audio, other.audio) for other in like) for utterance, like in sample)
    return count, found


def _sounds_alike(one: Path, other: Path) -> bool:
    return float((_loudness(one) * _loudness(other)).sum()) > _ALIKE


@cache
def _loudness(path: Path) -> Tensor:
    """Returns the loudness of a recording's parts, without silence at its ends: (_PARTS,), of mean 0 and norm 1."""
    waveform = read_audio(path)
    loud = (waveform.abs() > 0.05 * waveform.abs().max()).nonzero().flatten()
    if not len(loud):
        return torch.zeros(_PARTS)
    spoken = waveform[int(loud[0]) : int(loud[-1]) + 1]
    parts = torch.stack([part.square().mean() for part in spoken.tensor_split(_PARTS) if len(part)])
    loudness = (parts + 1e-8).log()
    loudness = loudness - loudness.mean()
    return loudness / loudness.norm().clamp_min(1e-6) if len(loudness) == _PARTS else torch.zeros(_PARTS)
