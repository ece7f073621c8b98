"""Utterances, batches by length, and their order, which follows from the seed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torchaudio.functional import resample

from prune_rnn.data.coding import Coding
from prune_rnn.files import AUDIO, opened
from prune_rnn.integrity.corpus import check_recording
from prune_rnn.speech.features import SAMPLE_RATE
from prune_rnn.speech.text import ALPHABET, encode

_LOUDEST = 1e3  # the greatest sample: floating-point files may pass 1, but not by so much
_LOWEST_RATE = 4000  # Hz
_FILTER = 250_000_000  # numbers in the filter that resamples: 1 GB
_UNKNOWN = 0x7FFF0000  # the least size in the header of a WAV file that was written to a pipe
_LONGEST_PAGE = 65_536  # bytes of an Ogg file that hold its last page
SECONDS_OFF, SHARE_OFF = 0.1, 0.01  # how far a stated length may be off: the greater counts
_ODD = 64  # bytes by which sizes in headers are wrong without harm


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording with its transcript in the alphabet; `frames` is its number of feature frames.

    speaker: from the manifest, if it names one. speed: the factor by which it is played faster.
    """

    audio: Path
    frames: int
    transcript: str
    speaker: str | None = None
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Utterances side by side.

    features: (batch, bins, frames), zero past the end. lengths: (batch,), in frames. labels: (batch, longest), blank
    past the end. label_lengths: (batch,). transcripts: one an utterance. alphabet: index = label.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor
    transcripts: list[str]
    alphabet: str = ALPHABET

    def part(self, rank: int, world: int) -> Batch:
        """Returns every `world`-th utterance from `rank` on."""
        own = slice(rank, None, world)
        return Batch(
            self.features[own], self.lengths[own], self.labels[own], self.label_lengths[own], self.transcripts[own],
            self.alphabet,
        )  # fmt: skip


def unfit_rate(rate: int) -> str:
    """Returns the problem with a sample rate in Hz, "" where there is none.

    >>> unfit_rate(44_100), unfit_rate(1)
    ('', 'has a sample rate of 1 Hz; speech needs 4000 Hz or more')
    """
    if rate < _LOWEST_RATE:
        return f"has a sample rate of {rate} Hz; speech needs {_LOWEST_RATE} Hz or more"
    common = math.gcd(rate, SAMPLE_RATE)
    if rate * SAMPLE_RATE > _FILTER * common**2:
        return f"has a sample rate of {rate} Hz, which takes gigabytes to resample; convert it to {SAMPLE_RATE} Hz"
    return ""


def _stated(head: bytes) -> int:
    """Returns the size that a file's first 24 bytes state; 0 where its format states none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        stated = int.from_bytes(head[4:8], "little") + 8
        return stated if stated < _UNKNOWN else 0
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return int.from_bytes(head[4:8], "big") + 8
    if head[:4] == b".snd" and head[8:12] != b"\xff" * 4:
        return int.from_bytes(head[4:8], "big") + int.from_bytes(head[8:12], "big")
    return int.from_bytes(head[16:24], "little") if head[:4] == b"riff" else 0  # W64


def _ends(tail: bytes) -> bool:
    """Whether the last page of an Ogg file is complete and marked as the last."""
    page = tail[max(0, tail.rfind(b"OggS")) :]
    body = 27 + page[26] if len(page) > 26 else len(page) + 1
    return bool(page[5:6] and page[5] & 4) and len(page) >= body + sum(page[27:body])


def check_length(path: Path) -> None:
    """Raises OSError where a WAV, AIFF, AU, W64 or Ogg file ends before its end; libsndfile would read what is left."""
    with opened(path, AUDIO) as file:
        head, size = file.read(24), file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_PAGE))
        whole = head[:4] != b"OggS" or _ends(file.read())
    if (stated := _stated(head)) > size + _ODD:
        raise OSError(f"{path} is cut off: it has {size:,} of {stated:,} bytes; fix it, or leave it out")
    if not whole:
        raise OSError(f"{path} is cut off: its last page is missing; fix it, or leave it out")


def no_file(path: Path) -> str:
    """Returns the message for a recording that is no regular file; a pipe would block."""
    return f"{path}: {'is not a file; give a recording' if path.exists() else 'no such file'}"


def read_audio(path: Path) -> Tensor:
    """Returns the waveform of a sound file, (samples,) float32 at 16 kHz: channels averaged, resampled where needed.

    Raises:
        OSError: the file is missing, cut off, changed since this program made it, or can't be decoded.
        ValueError: its sample rate or samples are those of no recording.
    """
    check_recording(path)
    if not path.is_file():
        raise OSError(no_file(path))
    try:
        if (size := path.stat().st_size) > AUDIO:
            raise ValueError(f"{path}: has {size:,} bytes; a recording has {AUDIO:,} at most")
        with soundfile.SoundFile(path) as file:
            stated, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: .raw, which says nothing of its rate
        raise OSError(f"{path} can't be decoded ({error}); fix it, or leave it out") from None
    if reason := unfit_rate(rate):
        raise ValueError(f"{path}: {reason}")
    check_length(path)
    if stated - len(samples) > max(SECONDS_OFF * rate, SHARE_OFF * stated):
        lengths = f"{len(samples) / rate:.2f} of {stated / rate:.2f} s"
        raise OSError(f"{path} is cut off: it has {lengths}; fix it, or leave it out")
    given = torch.from_numpy(samples)
    peak = float(given.abs().max()) if len(given) else 0.0  # NaN where any sample is
    if not peak <= _LOUDEST:
        what = f"a sample of {peak:.4g}" if math.isfinite(peak) else "samples that are not finite numbers"
        raise ValueError(f"{path}: holds {what}, and sound lies within -1 and 1; fix it, or leave it out")
    waveform = given.mean(dim=1)
    return waveform if rate == SAMPLE_RATE else resample(waveform, rate, SAMPLE_RATE)


def played(waveform: Tensor, speed: float) -> Tensor:
    """(samples,) -> the same, faster by a factor and higher in pitch. Source: Ko et al. 2015."""
    return waveform if speed == 1 else resample(waveform, round(1000 * speed), 1000)


def collate(utterances: Sequence[Utterance], coding: Coding = Coding()) -> Batch:
    """Reads the utterances, in their order, into one batch."""
    features = [coding.features(played(read_audio(u.audio), u.speed)).t() for u in utterances]  # (frames, bins)
    labels = [torch.tensor(encode(u.transcript, coding.alphabet)) for u in utterances]
    return Batch(
        features=pad_sequence(features, batch_first=True).transpose(1, 2).contiguous(),
        lengths=torch.tensor([len(f) for f in features]),
        labels=pad_sequence(labels, batch_first=True),
        label_lengths=torch.tensor([len(label) for label in labels]),
        transcripts=[u.transcript for u in utterances],
        alphabet=coding.alphabet,
    )


def batches(utterances: Sequence[Utterance], size: int) -> list[list[Utterance]]:
    """Returns batches of utterances of like length, shortest first; the last may be smaller."""
    ordered = sorted(utterances, key=lambda u: (u.frames, u.transcript))
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]


def epoch_order(count: int, seed: int, epoch: int, steps: int) -> list[int]:
    """Returns the batches, of `count`, that the `steps` steps of an epoch (from 1) take.

    Each pass over all batches has a shuffled order of its own, and an epoch continues where the one before ended. The
    first epoch sorts its share by length, shortest first (SortaGrad).
    """
    order: list[int] = []
    begin, end = (epoch - 1) * steps, epoch * steps
    for number in range(begin // count, -(-end // count)):  # passes
        whole = list(range(count))
        random.Random(f"{seed}/{number + 1}").shuffle(whole)
        order += whole[max(0, begin - number * count) : end - number * count]
    return sorted(order) if epoch == 1 else order
