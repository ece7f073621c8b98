"""JSON-lines manifests as NeMo and icefall write them: `audio_filepath`, `duration` in seconds, `text`; `speaker`,
where known, is what intervals of error rates are drawn by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import soundfile

from prune_rnn.data.base import SPLITS, Data, Say
from prune_rnn.data.batch import Utterance
from prune_rnn.data.checksums import check_recording
from prune_rnn.features import SAMPLE_RATE, frames
from prune_rnn.schema import option
from prune_rnn.text import encode, frames_needed, normalise, unknown_characters
from prune_rnn.typed import Plain

_SAMPLE = 4096  # bytes of each recording that its fingerprint takes in
_SHOWN = 10  # bad lines of each kind that an error message lists


class _BadLine(ValueError):
    """A line that can't be used: `kind` to count it by, and what exactly is wrong."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(kw_only=True, slots=True)
class Manifest(Data):
    """Three manifests of your own; relative audio paths are relative to the manifest's folder."""

    name: str = option("its name; not to be set: give data=manifest", "manifest")
    train: str = option("manifest to train on, JSON lines")
    dev: str = option("manifest to choose the best epoch by")
    test: str = option("manifest that the error rates are of")
    skip_bad: bool = option("go on without the lines that can't be used, after naming them", False)

    @property
    def skips_bad(self) -> bool:
        """As told."""
        return self.skip_bad

    def check(self) -> None:
        """Raises ValueError where a manifest doesn't exist or two splits are the same file."""
        paths = {split: Path(getattr(self, split)).resolve() for split in SPLITS}
        for split, path in paths.items():
            if not path.is_file():
                raise ValueError(f"data.{split}={getattr(self, split)}: no such file; give the path of a manifest")
        if len(set(paths.values())) < len(SPLITS):
            raise ValueError("data.train, data.dev and data.test must be three different manifests")

    def content(self) -> Plain:
        """Returns the fingerprint of each split, in place of its path."""
        return {split: fingerprint(Path(getattr(self, split))) for split in SPLITS}

    def manifests(self, say: Say) -> dict[str, Path]:
        """Returns the files as given."""
        return {split: Path(getattr(self, split)) for split in SPLITS}

    def describe(self) -> str:
        """Returns the training manifest."""
        return self.train

    @classmethod
    def recorded_dev(cls, kept: Plain, manifest: str | None, cache: str | None, say: Say) -> Path:
        """Returns the manifest that the user gives, which must be the run's, wherever it lies now."""
        if manifest is None:
            raise ValueError("the run was trained on manifests: give that of its dev split by dev=PATH")
        path = Path(manifest)
        if not path.is_file():
            raise ValueError(f"dev={manifest}: no such file; give the manifest of the run's dev split")
        if fingerprint(path) != kept["dev"]:
            raise ValueError(f"dev={manifest}: is not the dev split that the run was trained with; give that one")
        return path


def _utterance(line: str, folder: Path, output_frames: Callable[[int], int]) -> Utterance:
    """Returns the utterance of one manifest line; _BadLine says what is wrong with it."""
    try:
        entry: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise _BadLine("malformed", f"is not JSON ({error.msg})") from None
    if not isinstance(entry, dict):
        raise _BadLine("malformed", "is not a JSON object")
    for key in ("audio_filepath", "text"):
        if not isinstance(entry.get(key), str):
            raise _BadLine("malformed", f"has no string {key!r}")
    if entry.get("offset"):
        raise _BadLine("with an offset", f"has offset {entry['offset']}: cut the recording, segments are not read")
    path = folder / entry["audio_filepath"]  # an absolute path stands for itself
    transcript = normalise(entry["text"])
    if not transcript:
        raise _BadLine("with an empty transcript", f"{path}: the transcript is empty")
    if unknown := unknown_characters(transcript):
        detail = f"{path}: the transcript has characters outside the alphabet (a-z, space, '): {unknown!r}"
        raise _BadLine("with characters outside the alphabet", detail)
    try:
        if not path.is_file():
            check_recording(path)
            raise _BadLine("without their file", f"{path}: no such file")
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        check_recording(path)
        raise _BadLine("with unreadable audio", f"{path}: is not readable as audio ({error})") from None
    found = frames(-(-info.frames * SAMPLE_RATE // info.samplerate))
    available = output_frames(found) if found else 0
    if available < (needed := frames_needed(encode(transcript))):
        check_recording(path)
        detail = f"{path}: the transcript needs {needed} output frames, the audio gives {available}"
        raise _BadLine("with a transcript longer than its frames", detail)
    speaker = entry.get("speaker")
    return Utterance(path, found, transcript, speaker if isinstance(speaker, str) else None)


@cache
def _fingerprint(path: Path, changed: int) -> str:
    content = path.read_bytes()
    digest = hashlib.sha256(content)
    for line in content.decode(errors="replace").split("\n"):
        try:
            audio = path.parent / json.loads(line)["audio_filepath"]
            with audio.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(size // 2)
                digest.update(f"{size}".encode() + file.read(_SAMPLE))
        except (ValueError, KeyError, TypeError, OSError):
            continue  # `read_manifest` tells what is wrong with the line
    return f"sha256:{digest.hexdigest()[:16]}"


def fingerprint(path: Path) -> str:
    """Returns what stands for a manifest and its recordings, wherever they lie: a digest of its lines, and of the size
    and a sample from the middle of each recording."""
    return _fingerprint(path, path.stat().st_mtime_ns)


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
    utterances: list[Utterance] = []
    bad: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                utterances.append(_utterance(line, path.parent, output_frames))
            except _BadLine as error:
                bad.setdefault(error.kind, []).append(f"line {number} {error}")
    if bad:
        count = sum(map(len, bad.values()))
        kinds = ", ".join(f"{len(named)} {kind}" for kind, named in bad.items())
        summary = f"{path}: {count} of {count + len(utterances)} lines can't be used ({kinds}):"
        for kind, named in bad.items():
            shown = named if skip_bad else named[:_SHOWN]
            more = [f"and {len(named) - len(shown)} more {kind}"] if len(shown) < len(named) else []
            summary += "".join(f"\n  {line}" for line in [*shown, *more])
        if not skip_bad:
            raise ValueError(f"{summary}\nmend them, or leave them out with data.skip_bad=true")
        report(summary)
    if not utterances:
        raise ValueError(f"{path}: has no utterance")
    return utterances
