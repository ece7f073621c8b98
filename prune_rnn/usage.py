"""The error of a wrong command line, and checks of values."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager

BEAM = 1000  # hypotheses
THREADS = 1024  # more than any machine has cores; torch accepts any number and crashes
_LONGEST_NAME = 200  # bytes: leaves room for the digest, also on file systems that encrypt names
FAULTS = (ValueError, OSError, ArithmeticError, RuntimeError)  # reported to the user in one line
_SHOWN = 60  # characters of a value that a message shows


class UsageError(ValueError):
    """The command line is wrong, by a word, a key or a value: the exit code is 2."""


class SeveralLines(ValueError):
    """An error of several lines; names in it are escaped already."""


@contextmanager
def of_the_command_line() -> Iterator[None]:
    """Turns any ValueError in the block into a UsageError."""
    try:
        yield
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None


def shown(value: object) -> str:
    """Returns the value for a message, cut where it is long.

    >>> shown(10**100)
    '100000000000000000000000000000000000000000000000000000000000...'
    """
    text = f"{value}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def within(key: str, value: float | None, low: float, high: float) -> None:
    """Raises UsageError that names key and value unless low <= value <= high; None passes.

    >>> within("threads", 4, 1, THREADS)
    >>> within("threads", 0, 1, THREADS)
    Traceback (most recent call last):
    prune_rnn.usage.UsageError: threads=0: must be 1 or more
    """
    if value is not None and not value >= low:
        raise UsageError(f"{key}={shown(value)}: must be {low:,} or more")
    if value is not None and value > high:
        raise UsageError(f"{key}={shown(value)}: must be at most {high:,}; give less")


def check_file_name(key: str, name: str) -> None:
    """Raises UsageError unless the name can begin a file's name: plain, not hidden, short enough for a digest.

    >>> check_file_name("name", "gru_sparse-2")
    """
    if not re.fullmatch(r"[\w+-][\w.+-]*", name):
        fix = "use letters, digits, '_', '-', '.' and '+' only, and no '.' first"
        raise UsageError(f"{key}={shown(name)!r}: it names a file or folder; {fix}")
    if (length := len(name.encode())) > _LONGEST_NAME:
        raise UsageError(f"{key}={shown(name)}: has {length} bytes; a folder's name takes {_LONGEST_NAME}")


def check_installed(what: str, package: str, extra: str) -> None:
    """Raises UsageError unless the optional package is installed.

    what: the key and its value, named first. extra: this project's extra that brings the package.
    """
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise UsageError(f"{what}: {package} is not installed; pip install 'prune-rnn[{extra}]'")


def check_device(name: str) -> None:
    """Raises UsageError unless it is the name of a device, whether this machine has that device or not."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,4})?", name):
        raise UsageError(f"device={shown(name)}: must be auto, cpu, cuda, or one of several as cuda:1")
