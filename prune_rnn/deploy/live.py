"""Sound that arrives on standard input: a WAV file without an end, as a recorder writes it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from prune_rnn.deploy.stream import PIECE
from prune_rnn.speech.features import SAMPLE_RATE, WINDOW
from prune_rnn.usage import UsageError

INPUT = "-"  # stands for standard input
_WAY = "record so: `arecord -f S16_LE -c 1 -r 16000 -t wav | prune-rnn transcribe --stream MODEL -`"
_PCM = 1


def pieces(file: BinaryIO) -> Iterator[Tensor]:
    """Yields the samples of a WAV file as they arrive, (PIECE,) float32 in [-1, 1]; the last piece may be shorter.

    UsageError, before the first, unless the samples are 16-bit PCM, of one channel, at 16 kHz; at the end, where there
    were too few for one window. Ctrl-C ends the sound.
    """
    _read_header(file)
    samples = 0
    while piece := _next(file):
        whole = piece[: len(piece) // 2 * 2]  # the input may end within a sample
        samples += len(whole) // 2
        if whole:
            yield torch.from_numpy(np.frombuffer(whole, "<i2").astype(np.float32) / 32768)
    if samples < WINDOW:
        raise UsageError(f"{INPUT}: standard input ended after {samples} samples, less than one window of 20 ms")


def _next(file: BinaryIO) -> bytes:
    try:
        return file.read(2 * PIECE)
    except KeyboardInterrupt:
        return b""


def _read_header(file: BinaryIO) -> None:
    """Reads up to the first sample."""
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise UsageError(f"{INPUT}: standard input is no WAV file; {_WAY}")
    form = None
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            break
        content = file.read(size + size % 2)
        if name == b"fmt " and len(content) >= 16:
            form = struct.unpack("<HHIIHH", content[:16])
    if form is None or name != b"data":
        raise UsageError(f"{INPUT}: standard input ends within the header of its WAV file; {_WAY}")
    kind, channels, rate, _, _, bits = form
    if (kind, channels, rate, bits) != (_PCM, 1, SAMPLE_RATE, 16):
        found = f"{channels} channel{'s' * (channels != 1)} of {bits} bits at {rate} Hz"
        raise UsageError(f"{INPUT}: standard input has {found}, not one of 16 bits at {SAMPLE_RATE} Hz; {_WAY}")
