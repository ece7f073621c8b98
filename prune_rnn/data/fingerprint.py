"""What stands for a manifest and its recordings, wherever they lie."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from prune_rnn import files
from prune_rnn.values import from_json

_SAMPLE = 4096  # bytes of each recording that its fingerprint takes in


def lines_of(path: Path) -> list[str]:
    """Returns the lines of a manifest, as all who read one count them; ValueError that names it where it has none."""
    try:
        content = files.read(path, files.LINES)
    except OSError as error:
        raise ValueError(f"{path}: can't be read ({error.strerror})") from None
    try:
        return files.lines(content)
    except ValueError as error:
        raise ValueError(f"{path}: is not JSON lines in UTF-8 ({error}); give a manifest") from None


@cache
def _fingerprint(path: Path, changed: int) -> tuple[str, frozenset[bytes]]:
    """Returns (the digest of all, that of each recording)."""
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
    return f"sha256:{digest.hexdigest()[:16]}", frozenset(recordings)


def fingerprint(path: Path) -> str:
    """Returns what stands for a manifest and its recordings, wherever they lie: a digest of its lines, and of the size
    and a sample from the middle of each recording."""
    return _fingerprint(path, path.stat().st_mtime_ns)[0]


def recordings(path: Path) -> frozenset[bytes]:
    """Returns what stands for each recording of a manifest, by the same sample."""
    return _fingerprint(path, path.stat().st_mtime_ns)[1]
