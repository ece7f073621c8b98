"""The checksums of a corpus that this program made; reading a changed file raises an error that names it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

from prune_rnn.files import AUDIO, read
from prune_rnn.integrity import listed

NAME = "synthetic.sha256"


def write(folder: Path) -> None:
    """Lists all files below the folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    listed.write(folder / NAME, {path.relative_to(folder).as_posix(): _digest(path) for path in found})


def made(folder: Path) -> bool:
    """Returns whether this program made the corpus in the folder."""
    try:
        return (folder / NAME).exists()
    except OSError:  # a name that is too long: `read_manifest` reports it
        return False


def check(path: Path, folder: Path) -> None:
    """Raises OSError that names a file of the corpus in `folder` where the file is missing or was changed."""
    fix = f"delete {folder} to have the corpus made again"
    try:
        wanted = listed.read(folder / NAME).get(path.relative_to(folder).as_posix())
    except ValueError as error:
        raise OSError(f"{error}; {fix}") from None
    try:
        whole = wanted == _digest(path)
    except (OSError, ValueError):
        whole = False
    if not whole:
        raise OSError(f"{path} is damaged or gone; {fix}")


@cache
def check_recording(path: Path) -> None:
    """Checks a recording of a corpus that this program made, a folder below its list; once in a process."""
    if made(path.parent.parent):
        check(path, path.parent.parent)


def files(folder: Path) -> list[Path]:
    """Returns the files of the folder and those of its list, where the list can be read."""
    found = {path for path in folder.rglob("*") if path.is_file() and path.name != NAME}
    with suppress(ValueError):  # `check` names it
        found |= {folder / name for name in listed.read(folder / NAME)}
    return sorted(found)


def _digest(path: Path) -> str:
    return listed.digest(read(path, AUDIO))
