"""Transcripts, labels and greedy CTC decoding over an alphabet; the default is the paper's, of 29 symbols.

An alphabet is text: a symbol's index is its label. The first symbol stands for the blank, which no text contains.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

BLANK = 0
LATIN = "abcdefghijklmnopqrstuvwxyz'"
ALPHABET = f"_' {LATIN[:26]}"


@cache
def _labels(alphabet: str) -> dict[str, int]:
    return {symbol: label for label, symbol in enumerate(alphabet) if label != BLANK}


def alphabet_of(characters: str) -> str:
    """Returns the alphabet of some characters, in any order: the blank, apostrophe, space, then the others.

    >>> alphabet_of("cab'")
    "_' abc"
    """
    apostrophe = "'" if "'" in characters else ""
    return f"_{apostrophe} {''.join(sorted(set(characters) - {' ', apostrophe}))}"


def check_characters(key: str, characters: str) -> None:
    """Raises ValueError that names the key unless a transcript in lower case can contain each of the characters."""
    if not characters.strip():
        raise ValueError(f"{key}: has no character; leave it out for a-z and the apostrophe")
    for index, character in enumerate(characters):
        if character in characters[:index]:
            raise ValueError(f"{key}: has {character!r} more than once; give each character once")
        if character not in normalise(f"q{character}q"):  # q: no mark makes one character with it
            raise ValueError(f"{key}: has {character!r}, which no transcript in lower case contains; leave it out")


def normalise(transcript: str) -> str:
    """Returns the transcript in lower case and Unicode NFC with single spaces, none at the ends; drops nothing else."""
    return " ".join(unicodedata.normalize("NFC", transcript.lower()).split())


def unknown_characters(transcript: str, alphabet: str = ALPHABET) -> str:
    """Returns the characters of a normalised transcript that the alphabet lacks, sorted, each once.

    >>> unknown_characters("it's 5 o'clock!")
    '!5'
    """
    return "".join(sorted(set(transcript) - _labels(alphabet).keys()))


def in_words(alphabet: str) -> str:
    """Returns the symbols of an alphabet for a message.

    >>> in_words(ALPHABET)
    "a-z, space, '"
    """
    return "a-z, space, '" if alphabet == ALPHABET else f"space, {alphabet[1:].replace(' ', '')}"


def encode(transcript: str, alphabet: str = ALPHABET) -> list[int]:
    """Returns one label per character; raises ValueError where the alphabet lacks a character.

    >>> encode("a b'")
    [3, 2, 4, 1]
    """
    if unknown := unknown_characters(transcript, alphabet):
        known = in_words(alphabet)
        raise ValueError(f"transcript {transcript!r} has characters outside the alphabet ({known}): {unknown!r}")
    labels = _labels(alphabet)
    return [labels[character] for character in transcript]


def frames_needed(labels: list[int]) -> int:
    """Returns the fewest output frames that can spell the labels: one per label, one more between equal neighbours.

    >>> frames_needed([3, 3, 4])
    4
    """
    return len(labels) + sum(a == b for a, b in pairwise(labels))


def greedy(log_probs: Tensor, alphabet: str = ALPHABET) -> str:
    """Returns the text of an utterance's best path: repeats merged, then blanks dropped.

    log_probs: (frames, symbols).
    """
    labels = torch.unique_consecutive(log_probs.argmax(-1)).tolist()
    return "".join(alphabet[label] for label in labels if label != BLANK)


class SingleSpaces:
    """Text in pieces, less the spaces at its ends and those that follow a space.

    >>> spaces = SingleSpaces()
    >>> [spaces.feed(piece) for piece in (" a ", " ", "b", " ")]
    ['a', '', ' b', '']
    """

    def __init__(self) -> None:
        self._begun = self._space = False

    def feed(self, piece: str) -> str:
        """Returns what the piece adds; a space comes with the character after it."""
        found = ""
        for character in piece:
            if character != " ":
                found += f" {character}" if self._space and self._begun else character
                self._begun = True
            self._space = character == " "
        return found
