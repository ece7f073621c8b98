"""The utterances of a JSON-lines manifest: every line is used, or named with what is wrong with it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import soundfile

from prune_rnn.data.batch import SECONDS_OFF, SHARE_OFF, Utterance, check_length, no_file, read_audio, unfit_rate
from prune_rnn.data.coding import Coding
from prune_rnn.data.fingerprint import lines_of
from prune_rnn.data.transcripts import unknown_message
from prune_rnn.integrity.corpus import check_recording
from prune_rnn.printed import one_line
from prune_rnn.speech import text
from prune_rnn.speech.features import SAMPLE_RATE, frames
from prune_rnn.usage import SeveralLines, shown
from prune_rnn.values import from_json

_SHOWN = 10  # bad lines of each kind that an error message lists


class _BadLine(ValueError):
    """A line that can't be used: `kind` to count it by, what exactly is wrong, the characters outside the alphabet."""

    def __init__(self, kind: str, detail: str, unknown: str = "") -> None:
        super().__init__(detail)
        self.kind, self.unknown = kind, unknown


def _utterance(line: str, folder: Path, output_frames: Callable[[int], int], coding: Coding, decode: bool) -> Utterance:
    """Returns the utterance of one manifest line; _BadLine says what is wrong with it. coding, decode: as below."""
    try:
        entry: Any = from_json(line)
    except json.JSONDecodeError as error:
        raise _BadLine("malformed", f"is not JSON ({error.msg})") from None
    except ValueError:  # a number of too many digits, brackets in brackets
        raise _BadLine("malformed", "is JSON that can't be read; give plain strings and numbers") from None
    if not isinstance(entry, dict):
        raise _BadLine("malformed", "is not a JSON object")
    for key in ("audio_filepath", "text"):
        if not isinstance(entry.get(key), str):
            raise _BadLine("malformed", f"has no string {key!r}")
    if entry.get("offset"):
        raise _BadLine("with an offset", f"has offset {entry['offset']}: cut the recording, segments are not read")
    path = folder / entry["audio_filepath"]  # an absolute path stands for itself
    transcript = coding.normalise(entry["text"])
    if not transcript:
        raise _BadLine("with an empty transcript", f"{path}: the transcript is empty")
    if unknown := text.unknown_characters(transcript, coding.alphabet):
        known = text.in_words(coding.alphabet)
        detail = f"{path}: the transcript has characters outside the alphabet ({known}): {unknown!r}"
        every = "".join(character for character in transcript if character in unknown)
        raise _BadLine("with characters outside the alphabet", detail, every)
    try:
        if not path.is_file():
            check_recording(path)
            raise _BadLine("without their file", no_file(path))
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        check_recording(path)
        raise _BadLine("with unreadable audio", f"{path}: is not readable as audio ({error})") from None
    if reason := unfit_rate(info.samplerate):
        raise _BadLine("with a sample rate unfit for speech", f"{path}: {reason}")
    try:
        check_length(path)
        seconds = info.frames / info.samplerate
        found = frames(-(-info.frames * SAMPLE_RATE // info.samplerate))
        if decode or info.subtype in ("FLOAT", "DOUBLE"):  # integers are always numbers
            waveform = read_audio(path)
            seconds, found = len(waveform) / SAMPLE_RATE, frames(len(waveform))
    except OSError as error:
        raise _BadLine("with unreadable audio", f"{error}") from None
    except ValueError as error:
        raise _BadLine("with samples that are no sound", f"{error}") from None
    _check_duration(entry.get("duration"), seconds, path)
    available = output_frames(found) if found else 0
    if available < (needed := text.frames_needed(text.encode(transcript, coding.alphabet))):
        check_recording(path)
        detail = f"{path}: the transcript needs {needed} output frames, the audio gives {available}"
        raise _BadLine("with a transcript longer than its frames", detail)
    speaker = entry.get("speaker")
    return Utterance(path, found, transcript, speaker if isinstance(speaker, str) else None)


def _check_duration(stated: Any, seconds: float, path: Path) -> None:
    """Raises _BadLine where the line states another length than the audio's: one of the two is not whole."""
    if stated is None:
        return
    kind = "with a duration that is not the audio's"
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        raise _BadLine(kind, f"{path}: the duration {shown(stated)!r} is not a number of seconds")
    off = max(SECONDS_OFF, SHARE_OFF * seconds)
    if not seconds - off <= stated <= seconds + off:
        raise _BadLine(kind, f"{path}: the duration is {shown(stated)} s, the audio lasts {seconds:.2f} s")


def read_manifest(
    path: Path,
    output_frames: Callable[[int], int],
    skip_bad: bool,
    report: Callable[[str], None],
    *,
    coding: Coding = Coding(),
    decode: bool = False,
    trained: bool = False,
) -> list[Utterance]:
    """Returns the utterances of a manifest, every line checked.

    output_frames: the network's output frames for so many feature frames. coding: of the transcripts. decode: read the
    recordings to their end. trained: the coding is a finished network's. Lines that can't be used are counted and
    named: in a ValueError, or through `report` where skip_bad is set. Without a usable line it is always a ValueError.
    """

    def checked(line: str) -> Utterance | _BadLine:
        try:
            return _utterance(line, path.parent, output_frames, coding, decode)
        except _BadLine as error:
            return error

    numbered = [(number, line) for number, line in enumerate(lines_of(path), 1) if line.strip()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding takes the time, and leaves Python free
        found = list(pool.map(checked, [line for _, line in numbered]))
    utterances = [each for each in found if isinstance(each, Utterance)]
    bad: dict[str, list[str]] = {}
    unknown: Counter[str] = Counter()
    for (number, _), each in zip(numbered, found, strict=True):
        if isinstance(each, _BadLine):
            bad.setdefault(each.kind, []).append(f"line {number} {one_line(each)}")
            unknown.update(each.unknown)
    if bad:
        count = len(numbered) - len(utterances)
        kinds = ", ".join(f"{len(named)} {kind}" for kind, named in bad.items())
        summary = f"{one_line(path)}: {count} of {len(numbered)} lines can't be used ({kinds}):"
        for kind, named in bad.items():
            shown = named if skip_bad else named[:_SHOWN]
            more = [f"and {len(named) - len(shown)} more {kind}"] if len(shown) < len(named) else []
            summary += "".join(f"\n  {one}" for one in [*shown, *more])
        if unknown:
            summary += f"\n{one_line(unknown_message(unknown, coding.alphabet, coding.language, trained))}"
        if not skip_bad:
            way = "--skip-bad" if trained else "data.skip_bad=true"
            raise SeveralLines(f"{summary}\nfix them, or leave them out with {way}")
        report(summary)
    if not utterances:
        raise ValueError(f"{path}: has no utterance")
    return utterances
