"""A list of the sha256 of a folder's files: of a run in JSON, of a corpus in the format of `sha256sum -c`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from prune_rnn import files
from prune_rnn.typed import typed
from prune_rnn.values import from_json

_JSON = ".json"


def digest(content: bytes) -> str:
    """Returns the sha256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write(path: Path, digests: Mapping[str, str]) -> None:
    """Writes a list: the digest of each file by its name."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    text = json.dumps(digests, indent=2) + "\n" if path.suffix == _JSON else lines
    files.write_atomically(path, text.encode())


def read(path: Path, *needed: str) -> dict[str, str]:
    """Returns the digests by file name; ValueError where the list is missing, damaged or lacks a needed file."""
    try:
        found = _read(path, *stamp(path))
        if missing := [name for name in sorted(needed) if name not in found]:
            raise ValueError(f"{missing[0]} is not listed")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} is missing or damaged ({reason})") from None
    return found


@cache
def _read(path: Path, changed: int, size: int) -> dict[str, str]:
    content = files.read(path, files.VALUES if path.suffix == _JSON else files.LINES)
    if path.suffix == _JSON:
        return typed(dict[str, str], from_json(content.decode()))
    pairs = (line.partition("  ") for line in files.lines(content) if line)
    return {name: digest for digest, _, name in pairs}


def stamp(path: Path) -> tuple[int, int]:
    """Returns the file's time of change and size: the key of a cache."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
