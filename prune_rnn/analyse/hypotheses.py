"""The hypotheses of a run's test utterances, and their edits against the references."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from prune_rnn import paths
from prune_rnn.files import lines
from prune_rnn.run.store import Run
from prune_rnn.values import from_json


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance: what was said, what the network recognised, and the speaker, None where unknown."""

    reference: str
    hypothesis: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits of each utterance, and the characters of its reference; both (utterances,).

    speakers: of each utterance; empty where one is unknown, or all are of one speaker.
    """

    references: tuple[str, ...]
    counts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    speakers: tuple[str, ...] = ()


def read(folder: Path) -> list[Utterance] | None:
    """Returns the utterances of a run in their order; None without a file of them, ValueError where it is damaged."""
    path = folder / paths.HYPOTHESES
    if not path.exists():
        return None
    try:
        text = Run(folder).text(paths.HYPOTHESES)
        found = lines(text.removesuffix("\n").encode())
    except UnicodeDecodeError:
        raise _damaged(path, "is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    if not text:
        raise _damaged(path, "is empty")
    return [_utterance(path, number, line) for number, line in enumerate(found, 1)]


def _utterance(path: Path, number: int, line: str) -> Utterance:
    try:
        fields = from_json(line)
    except ValueError:
        raise _damaged(path, f"line {number} is not JSON") from None
    reference, hypothesis = (fields.get("reference"), fields.get("hypothesis")) if isinstance(fields, dict) else (0, 0)
    if not isinstance(reference, str) or not isinstance(hypothesis, str):
        raise _damaged(path, f"line {number} lacks a reference or a hypothesis")
    if not reference:
        raise _damaged(path, f"line {number} has an empty reference")
    speaker = fields.get("speaker")
    if speaker is not None and not isinstance(speaker, str):
        raise _damaged(path, f"line {number} has a speaker that is no name")
    return Utterance(reference, hypothesis, speaker)


def _damaged(path: Path, what: str) -> ValueError:
    return ValueError(f"{path}: {what}; delete {path.parent} and train again")


def by_voice(of: Edits) -> Edits:
    """Returns the edits by voice: a synthetic speaker is accent+voice, and a voice speaks in several accents."""
    return replace(of, speakers=tuple(speaker.rpartition("+")[2] for speaker in of.speakers))


def edits(utterances: list[Utterance]) -> Edits:
    """Returns the edits of each utterance, counted as for the CER: spaces count, at the ends too.

    >>> edits([Utterance("a cat", "acat"), Utterance("dog", " dogs")]).counts.tolist()
    [1, 2]
    """
    speakers = tuple(one.speaker for one in utterances if one.speaker is not None)
    return Edits(
        tuple(one.reference for one in utterances),
        np.array([Levenshtein.distance(one.reference, one.hypothesis) for one in utterances], dtype=np.int64),
        np.array([len(one.reference) for one in utterances], dtype=np.int64),
        speakers if len(speakers) == len(utterances) and len(set(speakers)) > 1 else (),
    )
