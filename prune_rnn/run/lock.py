"""The lock of a run's folder: one process trains the run at a time. After a kill the system releases it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from prune_rnn import paths

INSTANT = 2.0  # seconds to wait for a process that only cleans up or probes
_PROBE, _POLL = 0.1, 0.01  # seconds: of a probe, and between two attempts
_TRIES = 100  # to make a folder that others remove, as `tidy` does with an empty one


@contextmanager
def hold(folder: Path, wait: float = INSTANT) -> Iterator[None]:
    """Holds the lock of a folder, which it makes where it is missing.

    ValueError where another process holds the lock for more than `wait` seconds, OSError where the folder can't be
    written.
    """
    lock = FileLock(folder / paths.LOCK, timeout=wait)
    try:
        _acquire(lock, folder)
    except Timeout:
        raise ValueError(
            f"{folder} is being trained by another process; wait for it, or change the configuration"
        ) from None
    except OSError as error:
        raise OSError(f"{folder} can't be written ({error.strerror}); give another folder by results=...") from error
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, folder: Path) -> None:
    for tries in range(1, _TRIES + 1):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(poll_interval=_POLL)
            return
        except (FileNotFoundError, FileExistsError):  # the latter: removed while `mkdir` looked at it
            if tries == _TRIES:
                raise


def held(folder: Path) -> bool:
    """Whether a process holds the lock. A probe takes a free lock for an instant."""
    if not (folder / paths.LOCK).is_file():
        return False
    try:
        with FileLock(folder / paths.LOCK, timeout=_PROBE):
            return False
    except Timeout:
        return True
    except OSError:  # another user's folder: unknown
        return False
