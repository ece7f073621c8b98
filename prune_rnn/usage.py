"""What a user got wrong on the command line, as one error, and the ranges that numbers have to lie in."""

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
    """What is wrong takes several lines; no name that is shown in them breaks one."""


@contextmanager
def of_the_command_line() -> Iterator[None]:
    """Makes a UsageError of any ValueError in the block."""
    try:
        yield
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None


def shown(value: object) -> str:
    """Returns the value as a message shows it: the beginning where it is long.

    >>> shown(10**100)
    '100000000000000000000000000000000000000000000000000000000000...'
    """
    text = f"{value}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def within(key: str, value: float | None, low: float, high: float) -> None:
    """Raises UsageError that names key and value unless it lies from `low` to `high`; None passes.

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
    """Raises UsageError unless a file's name can begin with the name: plain, not hidden, short enough for a digest.

    >>> check_file_name("name", "gru_sparse-2")
    """
    if not re.fullmatch(r"[\w+-][\w.+-]*", name):
        way = "use letters, digits, '_', '-', '.' and '+' only, and no '.' first"
        raise UsageError(f"{key}={shown(name)!r}: it names a file or folder; {way}")
    if (length := len(name.encode())) > _LONGEST_NAME:
        raise UsageError(f"{key}={shown(name)}: has {length} bytes; a folder's name takes {_LONGEST_NAME}")


def check_installed(what: str, package: str, extra: str) -> None:
    """Raises UsageError that begins with `what`, the key and its value, unless the optional package is installed.

    extra: of this project, which brings the package.
    """
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise UsageError(f"{what}: {package} is not installed; pip install 'prune-rnn[{extra}]'")


def check_device(name: str) -> None:
    """Raises UsageError unless it is the name of a device, there or not."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,4})?", name):
        raise UsageError(f"device={shown(name)}: must be auto, cpu, cuda, or one of several as cuda:1")
