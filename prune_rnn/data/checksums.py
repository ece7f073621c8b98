"""The checksums of a corpus that this program made: what is read from it is what was written, or names itself.

They lie in the corpus's folder as `sha256sum -c` reads them. A corpus of before there were any is read as it is.
"""

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

from prune_rnn.files import AUDIO, LINES, lines, read

NAME = "synthetic.sha256"


def write(folder: Path) -> None:
    """Lists all files below the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / NAME).write_text("".join(listed), encoding="utf-8")


def has_checksums(manifest: Path) -> bool:
    """Returns whether the recordings of a manifest carry checksums."""
    return _has(manifest.parent)


def _has(folder: Path) -> bool:
    try:
        return (folder / NAME).exists()
    except OSError:  # a name that is too long: `read_manifest` reports it
        return False


def check(path: Path, folder: Path) -> None:
    """Raises OSError where a file of the folder is not as it was written; nothing happens where it has no checksums."""
    if not _has(folder):
        return
    listed = _listed(folder / NAME).get(path.relative_to(folder).as_posix())
    try:
        whole = listed == _digest(path)
    except (OSError, ValueError):
        whole = False
    if not whole:
        raise OSError(f"{path} is damaged or gone; delete {folder} to have the corpus made again")


@cache
def check_recording(path: Path) -> None:
    """Checks a recording, which lies one folder below the checksums; only once in a process."""
    check(path, path.parent.parent)


def files(folder: Path) -> list[Path]:
    """Returns all files that are listed, where the list can be read, and those of the folder that are not."""
    found = {path for path in folder.rglob("*") if path.is_file() and path.name != NAME}
    with suppress(OSError):  # `check` names it
        found |= {folder / name for name in _listed(folder / NAME)}
    return sorted(found)


def _digest(path: Path) -> str:
    return hashlib.sha256(read(path, AUDIO)).hexdigest()


def _listed(path: Path) -> dict[str, str]:
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@cache
def _read(path: Path, changed: int, size: int) -> dict[str, str]:
    listed: dict[str, str] = {}
    try:
        found = lines(read(path, LINES))
    except ValueError as error:
        raise OSError(f"{path} is damaged ({error}); delete {path.parent} to have the corpus made again") from None
    for line in filter(None, found):
        digest, _, name = line.partition("  ")
        listed[name] = digest
    return listed
