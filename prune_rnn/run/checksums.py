"""The text files of a finished run are listed with their sha256 in its checksums.json, and read against that.

A run of before there were any has no such file; all that it holds is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from prune_rnn import files, paths
from prune_rnn.files import write_atomically
from prune_rnn.typed import typed
from prune_rnn.values import from_json

LISTED = (paths.CONFIG, paths.HISTORY, paths.HYPOTHESES, paths.RESULT)


def most(name: str) -> int:
    """Returns how many bytes one of the text files has at most."""
    return files.VALUES if name in (paths.CONFIG, paths.RESULT) else files.LINES


def write(folder: Path, fresh: Mapping[str, bytes]) -> None:
    """Lists what lies in the folder, and `fresh`, which is about to be written there."""
    found = {name: files.read(folder / name, most(name)) for name in LISTED if (folder / name).exists()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in (found | dict(fresh)).items()}
    write_atomically(folder / paths.CHECKSUMS, (json.dumps(digests, indent=2) + "\n").encode())


def stamp(path: Path) -> tuple[int, int]:
    """Returns what changes when the file does, so that it is read once."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def listed(folder: Path) -> dict[str, str]:
    """Returns what the folder's checksums.json lists; nothing where it has none, or before the run is finished."""
    path = folder / paths.CHECKSUMS
    return _listed(path, *stamp(path)) if path.exists() and (folder / paths.RESULT).exists() else {}


@cache
def _listed(path: Path, changed: int, size: int) -> dict[str, str]:
    try:
        found = typed(dict[str, str], from_json(files.read(path, files.VALUES).decode()))
        if missing := {paths.CONFIG, paths.RESULT} - found.keys():
            raise ValueError(f"{min(missing)} is not listed")
        return found
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from None


def read(path: Path) -> str:
    """Returns the text of one of a run's files; OSError where it is missing, ValueError where it is not as written."""
    content, stated = files.read(path, most(path.name)), listed(path.parent)
    if stated and stated.get(path.name) != hashlib.sha256(content).hexdigest():
        raise ValueError(f"its checksum is not that in {paths.CHECKSUMS}")
    return content.decode()
