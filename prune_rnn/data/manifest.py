"""JSON-lines manifests as NeMo and icefall write them: `audio_filepath`, `duration` in seconds, `text`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

from prune_rnn.data.base import Utterance
from prune_rnn.features import SAMPLE_RATE, frames
from prune_rnn.text import encode, foreign, frames_needed, normalise

SPLITS = ("train", "dev", "test")
_SHOWN = 10  # bad lines that an error message lists


@dataclass(kw_only=True, slots=True)
class ManifestConfig:
    """Three manifests of your own; relative audio paths count from the manifest's folder."""

    name: str = "manifest"
    train: str
    dev: str
    test: str
    skip_bad: bool = False  # go on without the lines that can't be used, after naming them
    workers: int = field(default=0, metadata={"identity": False})  # processes that read audio; 0: the training one

    def check(self) -> None:
        """Raises ValueError where a manifest doesn't exist or two splits are the same file."""
        paths = {split: Path(getattr(self, split)).resolve() for split in SPLITS}
        for split, path in paths.items():
            if not path.is_file():
                raise ValueError(f"data.{split}={getattr(self, split)}: no such file; give the path of a manifest")
        if len(set(paths.values())) < len(SPLITS):
            raise ValueError("data.train, data.dev and data.test must be three different manifests")
        if self.workers < 0:
            raise ValueError(f"data.workers={self.workers}: must be 0 or more")


def _utterance(line: str, folder: Path, output_frames: Callable[[int], int]) -> Utterance:
    """Returns the utterance of one manifest line; ValueError says what is wrong with it."""
    try:
        entry: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error.msg})") from None
    if not isinstance(entry, dict):
        raise ValueError("is not a JSON object")
    for key in ("audio_filepath", "text"):
        if not isinstance(entry.get(key), str):
            raise ValueError(f"has no string {key!r}")
    path = folder / entry["audio_filepath"]  # an absolute path stands for itself
    transcript = normalise(entry["text"])
    if not transcript:
        raise ValueError(f"{path}: the transcript is empty")
    if unknown := foreign(transcript):
        raise ValueError(f"{path}: the transcript has characters outside the alphabet (a-z, space, '): {unknown!r}")
    try:
        if not path.is_file():
            raise ValueError(f"{path}: no such file")
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"{path}: is not readable as audio ({error})") from None
    found = frames(-(-info.frames * SAMPLE_RATE // info.samplerate))
    available = output_frames(found) if found else 0
    if available < (needed := frames_needed(encode(transcript))):
        raise ValueError(f"{path}: the transcript needs {needed} output frames, the audio gives {available}")
    return Utterance(path, found, transcript)


def read_manifest(
    path: Path, output_frames: Callable[[int], int], skip_bad: bool, report: Callable[[str], None]
) -> list[Utterance]:
    """Returns the utterances of a manifest, every line checked.

    output_frames: the network's output frames for so many feature frames. Lines that can't be used are counted and
    named: in a ValueError, or through `report` where skip_bad is set. A manifest without a usable line is a ValueError
    always.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # nothing else ends a line of JSON
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is not readable as text ({error})") from None
    utterances, bad = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                utterances.append(_utterance(line, path.parent, output_frames))
            except ValueError as error:
                bad.append(f"line {number} {error}")
    if bad:
        shown = "\n  ".join(bad if skip_bad else bad[:_SHOWN])
        more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN and not skip_bad else ""
        summary = f"{path}: {len(bad)} of {len(bad) + len(utterances)} lines can't be used:\n  {shown}{more}"
        if not skip_bad:
            raise ValueError(f"{summary}\nmend them, or leave them out with data.skip_bad=true")
        report(summary)
    if not utterances:
        raise ValueError(f"{path}: has no utterance")
    return utterances
