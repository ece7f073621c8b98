"""The lock of a run's folder: one process trains it at a time. The system frees it after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from prune_rnn import paths

INSTANT = 2.0  # seconds to wait for one that only cleans up, or looks whether the run is held
_PROBE, _POLL = 0.1, 0.01  # seconds to wait to know whether a run is held; between two attempts
_TRIES = 100  # to make a folder that others remove, as `tidy` does where it holds nothing but a lock


@contextmanager
def hold(folder: Path, wait: float = INSTANT) -> Iterator[None]:
    """Holds the folder, made where it is missing; ValueError where another process holds it for longer than `wait` s.

    OSError where the folder can't be written.
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
    """Whether a process holds the folder. To know, the lock is taken for an instant where it is free."""
    if not (folder / paths.LOCK).is_file():
        return False
    try:
        with FileLock(folder / paths.LOCK, timeout=_PROBE):
            return False
    except Timeout:
        return True
    except OSError:  # another user's folder: it can't be known
        return False
