"""SIGINT and SIGTERM as a request to stop at the next good moment."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and has saved where it is."""


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Yields a function that tells whether SIGINT or SIGTERM has arrived; the second one takes effect at once."""
    asked = False
    before: dict[int, Any] = {}

    def note(number: int, frame: Any) -> None:
        nonlocal asked
        asked = True
        print("stopping: the state will be saved after this batch (again to stop at once)", file=sys.stderr, flush=True)
        for stopped, handler in before.items():
            signal.signal(stopped, handler)

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
