"""The fastest backends on this machine, in a file of the user's cache folder.

Timings differ from load to load, and a backend fixes the order of a network's sums. With the stored choice every load
computes the same sums.
"""

from __future__ import annotations

import json
import os
import platform
import warnings
from pathlib import Path

from prune_rnn import files
from prune_rnn.cpu import entries
from prune_rnn.files import write_atomically
from prune_rnn.values import from_json


def file() -> Path:
    """Returns the path of the file: prune-rnn/engine.json in $XDG_CACHE_HOME, else in ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache").absolute() / "prune-rnn" / "engine.json"


def cpu() -> str:
    """Returns the processor's make, as far as the system reports it."""
    found = entries()
    named = [found[key] for key in ("model name", "cpu family", "model", "stepping") if key in found]
    return " ".join(named) or f"{platform.machine()} {platform.processor()}"


def choices() -> dict[str, str]:
    """Returns the stored choices by their keys; none where the file is missing or damaged."""
    try:
        found = from_json(files.read(file(), files.VALUES).decode())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def keep(key: str, choice: str) -> None:
    """Adds a choice; a RuntimeWarning where the file can't be written."""
    content = json.dumps({**choices(), key: choice}, indent=0, sort_keys=True)
    try:
        write_atomically(file(), content.encode())
    except OSError as error:
        warnings.warn(f"{error}; the next load may choose another format", RuntimeWarning, stacklevel=2)
