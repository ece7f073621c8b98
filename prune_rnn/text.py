"""Transcripts, labels and greedy CTC decoding over the paper's alphabet of 29 symbols."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

BLANK = 0
ALPHABET = "_' abcdefghijklmnopqrstuvwxyz"  # index = label; "_" stands for the blank and is never written
_LABEL = {symbol: label for label, symbol in enumerate(ALPHABET) if label != BLANK}


def normalise(transcript: str) -> str:
    """Returns the transcript in lower case with single spaces, none at the ends; drops nothing else."""
    return " ".join(transcript.lower().split())


def unknown_characters(transcript: str) -> str:
    """Returns the characters of a normalised transcript that the alphabet lacks, sorted, each once.

    >>> unknown_characters("it's 5 o'clock!")
    '!5'
    """
    return "".join(sorted(set(transcript) - _LABEL.keys()))


def encode(transcript: str) -> list[int]:
    """Returns one label per character; raises ValueError where the alphabet lacks a character.

    >>> encode("a b'")
    [3, 2, 4, 1]
    """
    if unknown := unknown_characters(transcript):
        raise ValueError(f"transcript {transcript!r} has characters outside the alphabet (a-z, space, '): {unknown!r}")
    return [_LABEL[character] for character in transcript]


def frames_needed(labels: list[int]) -> int:
    """Returns the fewest output frames that can spell the labels: one per label, one more between equal neighbours.

    >>> frames_needed([3, 3, 4])
    4
    """
    return len(labels) + sum(a == b for a, b in pairwise(labels))


def greedy(log_probs: Tensor, lengths: Tensor) -> list[str]:
    """Returns the transcript of the best path of each utterance: repeats merged, then blanks dropped.

    log_probs: (frames, batch, symbols). lengths: (batch,), in frames.
    """
    best = log_probs.argmax(-1).cpu()
    texts = []
    for path, length in zip(best.unbind(1), lengths.tolist(), strict=True):
        labels = torch.unique_consecutive(path[:length]).tolist()
        texts.append("".join(ALPHABET[label] for label in labels if label != BLANK))
    return texts


def spelt(log_probs: Tensor) -> str:
    """Returns the text of one utterance's best path. log_probs: (frames, symbols)."""
    return greedy(log_probs[:, None], torch.tensor([len(log_probs)]))[0]
