"""Timings that can be compared: taken in turn, so that other work on the machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


def in_turn(
    work: Sequence[Callable[[], object]], rounds: int, seconds: float, settle: float = 0.0
) -> list[list[float]]:
    """Returns the seconds that one call of each takes, measured `rounds` times: all of them once, then all again.

    seconds: that a measurement takes, about; quick calls are repeated to fill them. Before a measurement its work is
    called once, so that its weights are in the cache where they fit. settle: seconds before that, half of them idle
    (the threads of the one before go to sleep) and half warm.
    """
    repeats = []
    for each in work:
        each()
        start = time.perf_counter()
        each()
        repeats.append(max(1, min(10_000, int(seconds / max(time.perf_counter() - start, 1e-7)))))
    measured: list[list[float]] = [[] for _ in work]
    for _ in range(rounds):
        for index, each in enumerate(work):
            time.sleep(settle / 2)
            warm = time.perf_counter() + settle / 2
            each()
            while time.perf_counter() < warm:
                each()
            start = time.perf_counter()
            for _ in range(repeats[index]):
                each()
            measured[index].append((time.perf_counter() - start) / repeats[index])
    return measured
