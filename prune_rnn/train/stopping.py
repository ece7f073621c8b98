"""SIGINT, SIGTERM and SIGUSR1 as a request to save and stop."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prune_rnn.train.distributed import launched, launched_rank

_ONCE = 1.0  # seconds in which a terminal's Ctrl-C arrives a second time, by torchrun, which hands it on


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and has saved where it is."""


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Yields a function that tells whether SIGINT, SIGTERM or SIGUSR1 has arrived.

    A second SIGINT or SIGTERM takes effect at once. SIGUSR1 is never more than a request: the process that started a
    training sends it when it ends itself.
    """
    asked: float | None = None  # when
    before: dict[int, Any] = {}

    def note(number: int, frame: Any) -> None:
        nonlocal asked
        if asked is None:
            asked = time.monotonic()
            if launched_rank() == 0:
                text = "stopping: the state will be saved after this batch (again to stop at once)"
                print(text, file=sys.stderr, flush=True)
        elif number != signal.SIGUSR1 and (not launched() or time.monotonic() - asked > _ONCE):
            for stopped, handler in before.items():
                signal.signal(stopped, handler)
            signal.raise_signal(number)

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield lambda: asked is not None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
