"""What stands for a manifest and its recordings, wherever they lie."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

_SAMPLE = 4096  # bytes of each recording that its fingerprint takes in


@cache
def _fingerprint(path: Path, changed: int) -> tuple[str, frozenset[bytes]]:
    """Returns (the digest of all, that of each recording)."""
    content = path.read_bytes()
    digest, recordings = hashlib.sha256(content), set()
    for line in content.decode("utf-8-sig", errors="replace").split("\n"):
        try:
            audio = path.parent / json.loads(line)["audio_filepath"]
            if not audio.is_file():  # a pipe would be waited for
                continue
            with audio.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(size // 2)
                sample = f"{size}".encode() + file.read(_SAMPLE)
            digest.update(sample)
            recordings.add(hashlib.sha256(sample).digest())
        except (ValueError, KeyError, TypeError, OSError, RecursionError):
            continue  # `read_manifest` tells what is wrong with the line
    return f"sha256:{digest.hexdigest()[:16]}", frozenset(recordings)


def fingerprint(path: Path) -> str:
    """Returns what stands for a manifest and its recordings, wherever they lie: a digest of its lines, and of the size
    and a sample from the middle of each recording."""
    return _fingerprint(path, path.stat().st_mtime_ns)[0]


def recordings(path: Path) -> frozenset[bytes]:
    """Returns what stands for each recording of a manifest, by the same sample."""
    return _fingerprint(path, path.stat().st_mtime_ns)[1]
