"""Files: written as a whole or not at all; read only if regular and not too large."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".unfinished"  # ends the name of a file that is being written

# the greatest size of each kind of file in bytes, far above those in use
VALUES = 1 << 18  # config.yaml, result.json, checksums.json, engine.json: some kB
LINES = 1 << 30  # a manifest, hypotheses, a history, a list of checksums: up to 300 bytes a line
AUDIO = 4 << 30  # one recording
TENSORS = 16 << 30  # a checkpoint, weights, a packed file


@contextmanager
def opened(path: Path, most: int) -> Iterator[BinaryIO]:
    """Opens a regular file to read; OSError that names it for a pipe, a device, a folder or more than `most` bytes.

    The checks use the opened file, which no other can replace. Opening a pipe does not block.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"{status.st_size:,} bytes; a file of its kind has {most:,} at most", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read(path: Path, most: int) -> bytes:
    """Returns the content of a regular file of at most `most` bytes; errors as of `opened`."""
    with opened(path, most) as file:
        return file.read(os.fstat(file.fileno()).st_size)  # a file of /proc has no end


def lines(content: bytes) -> list[str]:
    """Returns the lines of a text in UTF-8. Only a line feed, or a carriage return and one, ends a line.

    ValueError with the number of the line for a carriage return elsewhere, and where it is not UTF-8.

    >>> lines(b"a\\r\\nb\\n")
    ['a', 'b', '']
    >>> lines(b"a\\nb\\rc")
    Traceback (most recent call last):
    ValueError: line 2 has a carriage return that ends no line; write the lines with line feeds
    """
    found = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
    for number, line in enumerate(found, 1):
        if b"\r" in line:
            raise ValueError(f"line {number} has a carriage return that ends no line; write the lines with line feeds")
    try:
        return [line.decode() for line in found]
    except UnicodeDecodeError as error:
        number = found.index(error.object) + 1
        raise ValueError(f"line {number} is not UTF-8") from None


def write_atomically(path: Path, content: bytes | memoryview, before: Path | None = None) -> None:
    """Replaces a file as a whole: after a crash or on a full disk it has the old content or the new.

    before: new path of the old file, in place of a file there. OSError that names the file where it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask, as any new file
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if before is not None and path.exists():
                os.replace(path, before)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OSError(f"{path} can't be written ({error.strerror}); what was there before is kept") from error
