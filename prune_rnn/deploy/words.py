"""When each word was recognised, and text with these times: JSON, SubRip (srt) and WebVTT (vtt)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from prune_rnn.speech.features import SAMPLE_RATE, STEP
from prune_rnn.speech.text import BLANK

_SECONDS = 2 * STEP / SAMPLE_RATE  # of an output frame
_LONGEST, _WIDEST = 6.0, 80  # of a subtitle: seconds, characters
_PAUSE = 1.0  # seconds without a character that part two subtitles, or two parts of a word


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and from when to when its characters were recognised, in seconds."""

    word: str
    start: float
    end: float


class Character(NamedTuple):
    """A character of a text and its frames, the end excluded."""

    symbol: str
    start: int
    end: int


class _Part(NamedTuple):
    """Characters of a word without a pause between them, and their frames, the end excluded."""

    characters: int
    start: int
    end: int


def best_path(log_probs: Tensor, alphabet: str) -> list[Character]:
    """(output frames, symbols) -> the characters of the best path, those of the greedy text."""
    labels, counts = torch.unique_consecutive(log_probs.argmax(-1), return_counts=True)
    ends = counts.cumsum(0)
    each = zip(labels.tolist(), (ends - counts).tolist(), ends.tolist(), strict=True)
    return [Character(alphabet[label], start, end) for label, start, end in each if label != BLANK]


def words(characters: Iterable[Character]) -> list[Word]:
    """Returns the words of a text, which spaces part.

    A character is recognised in one frame or a few, within what the network heard of it: a word's end may lie up to
    some 0.1 s before its sound has died away. Of a word with a pause in it the time is that of the part with most
    characters.
    """
    found: list[Word] = []
    text = ""
    parts: list[_Part] = []
    for symbol, start, end in characters:
        if symbol != " ":
            if not parts or start - parts[-1].end > _PAUSE / _SECONDS:
                parts.append(_Part(0, start, start))
            parts[-1] = _Part(parts[-1].characters + 1, parts[-1].start, end)
            text += symbol
        elif text:
            found.append(_word(text, parts))
            text, parts = "", []
    return [*found, _word(text, parts)] if text else found


def _word(text: str, parts: Sequence[_Part]) -> Word:
    _, start, end = max(parts, key=lambda part: part.characters)
    return Word(text, round(start * _SECONDS, 2), round(end * _SECONDS, 2))


def as_json(audio: Path, found: Sequence[Word]) -> str:
    """Returns one line of JSON: audio, text, words with start and end."""
    text = " ".join(word.word for word in found)
    return json.dumps(
        {"audio": str(audio), "text": text, "words": [asdict(word) for word in found]}, ensure_ascii=False
    )


def as_srt(audio: Path, found: Sequence[Word]) -> str:
    """Returns SubRip subtitles."""
    cues = enumerate(_cues(found), 1)
    return "\n".join(f"{number}\n{_span(cue, ',')}\n{_text(cue)}\n" for number, cue in cues)


def as_vtt(audio: Path, found: Sequence[Word]) -> str:
    """Returns WebVTT subtitles."""
    return "\n".join(["WEBVTT\n", *(f"{_span(cue, '.')}\n{_text(cue)}\n" for cue in _cues(found))])


FORMATS: dict[str, Callable[[Path, Sequence[Word]], str]] = {"json": as_json, "srt": as_srt, "vtt": as_vtt}


def _cues(found: Sequence[Word]) -> list[list[Word]]:
    """Returns the words of each subtitle: a pause begins another one, and so does what is too long to read."""
    cues: list[list[Word]] = []
    for word in found:
        own = cues[-1] if cues else []
        fits = own and word.end - own[0].start <= _LONGEST and len(_text([*own, word])) <= _WIDEST
        if fits and word.start - own[-1].end <= _PAUSE:
            own.append(word)
        else:
            cues.append([word])
    return cues


def _text(cue: Sequence[Word]) -> str:
    return " ".join(word.word for word in cue)


def _span(cue: Sequence[Word], point: str) -> str:
    return f"{_time(cue[0].start, point)} --> {_time(cue[-1].end, point)}"


def _time(seconds: float, point: str) -> str:
    """Returns hours, minutes, seconds and milliseconds.

    >>> _time(3661.5, ",")
    '01:01:01,500'
    """
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
