"""The fingerprint of a manifest and its recordings, which does not depend on their paths."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from prune_rnn import files
from prune_rnn.values import from_json

_PREFIX = "sha256:"
_SAMPLE = 4096  # bytes of each recording that its fingerprint takes in


def lines_of(path: Path) -> list[str]:
    """Returns the lines of a manifest; ValueError that names the file where it can't be read."""
    try:
        content = files.read(path, files.LINES)
    except OSError as error:
        raise ValueError(f"{path}: can't be read ({error.strerror}); give a manifest, a file of JSON lines") from None
    try:
        return files.lines(content)
    except ValueError as error:
        raise ValueError(f"{path}: is not JSON lines in UTF-8 ({error}); give a manifest") from None


@cache
def _fingerprint(path: Path, changed: int) -> tuple[str, frozenset[bytes]]:
    """Returns (the digest of the manifest, the digests of the recordings)."""
    content = files.read(path, files.LINES)
    digest, recordings = hashlib.sha256(content), set()
    for line in lines_of(path):
        try:
            audio = path.parent / from_json(line)["audio_filepath"]
            with files.opened(audio, files.AUDIO) as file:
                size = file.seek(0, 2)
                file.seek(size // 2)
                sample = f"{size}".encode() + file.read(_SAMPLE)
            digest.update(sample)
            recordings.add(hashlib.sha256(sample).digest())
        except (ValueError, KeyError, TypeError, OSError):
            continue  # `read_manifest` reports the line's fault
    return f"{_PREFIX}{digest.hexdigest()[:16]}", frozenset(recordings)


def is_fingerprint(manifest: str) -> bool:
    """Whether a fingerprint stands in the place of a manifest's path."""
    return manifest.startswith(_PREFIX)


def fingerprint(path: Path) -> str:
    """Returns a digest of a manifest's lines, and of the size and a sample from the middle of each recording."""
    return _fingerprint(path, path.stat().st_mtime_ns)[0]


def recordings(path: Path) -> frozenset[bytes]:
    """Returns a digest of each recording of a manifest, by the same sample."""
    return _fingerprint(path, path.stat().st_mtime_ns)[1]
