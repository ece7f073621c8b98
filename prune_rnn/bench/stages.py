"""Where a second of audio goes: the time of each stage of a whole network, whole files or 20 ms at a time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from prune_rnn.bench import ours
from prune_rnn.bench.candidate import Candidate, Measurement
from prune_rnn.bench.job import STAGES
from prune_rnn.bench.measure import SETTLE, Timing
from prune_rnn.bench.networks import Variant
from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.stream import PIECE, Stream
from prune_rnn.engine.timing import in_turn
from prune_rnn.speech.features import SAMPLE_RATE
from prune_rnn.speech.text import greedy

STREAMED = ", streamed"  # ends the names of networks that are fed 20 ms at a time
FEATURES, DECODING, REST = "features", "decoding", "rest"
_METHODS = {"inputs": "input products", "loop": "time loops", "look_ahead": "row convolution", "classify": "output"}


class Clock:
    """Adds up the seconds that functions take, by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def on(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function, its time counted under the stage."""

        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds[stage] += time.perf_counter() - start
            return result

        return counted


class Clocked(Network):
    """A network that counts the time of its stages; batch norm and activation count with what they follow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = Clock()
        for method, stage in _METHODS.items():
            setattr(self, method, self.clock.on(stage, getattr(self, method)))

    def convolve(self, index: int, x: Tensor) -> Tensor:
        """Counted under the number of the convolution."""
        convolved: Tensor = self.clock.on(f"convolution {index + 1}", super().convolve)(index, x)
        return convolved


def whole(network: Clocked) -> Callable[[], None]:
    """Returns a function that turns a second of noise into text at once."""
    waveform, clock = _noise(1), network.clock
    features, text = clock.on(FEATURES, network.coding.features), clock.on(DECODING, greedy)

    def run() -> None:
        text(log_probs(network, features(waveform)))

    return run


def streamed(network: Clocked) -> Callable[[], None]:
    """Returns a function that turns the next second of noise into text, 20 ms at a time."""
    stream, clock = Stream(network), network.clock
    stream.features.feed = clock.on(FEATURES, stream.features.feed)  # type: ignore[method-assign]
    stream.text.feed = clock.on(DECODING, stream.text.feed)  # type: ignore[method-assign]
    pieces = _noise(1).split(PIECE)
    stream.feed(_noise(3))  # past what waits at the beginning

    def run() -> None:
        for piece in pieces:
            stream.feed(piece)

    return run


def measure(name: str, variants: Sequence[Variant], timing: Timing) -> list[Measurement]:
    """Returns the times of each stage of a network, dense and at its highest sparsity, for one stream on the CPU.

    What a call takes besides them is the stage `rest`.
    """
    torch.set_num_threads(timing.threads)
    with torch.inference_mode():
        found = list(_ways([variants[0], variants[-1]]))
        calls: list[list[dict[str, float]]] = [[] for _ in found]

        def counted(run: Callable[[], None], clock: Clock, kept: list[dict[str, float]]) -> Callable[[], None]:
            def call() -> None:
                clock.seconds.clear()
                start = time.perf_counter()
                run()
                total = time.perf_counter() - start
                kept.append({**clock.seconds, REST: total - sum(clock.seconds.values())})

            return call

        work = [counted(run, clock, kept) for (_, run, clock), kept in zip(found, calls, strict=True)]
        in_turn(work, timing.rounds, timing.seconds, SETTLE)
    return [
        Measurement(STAGES, name, 1, replace(candidate, stage=stage), [1e6 * call[stage] for call in kept])
        for (candidate, _, _), kept in zip(found, calls, strict=True)
        for stage in kept[-1]
    ]


def _ways(variants: Sequence[Variant]) -> Iterator[tuple[Candidate, Callable[[], None], Clock]]:
    for variant in variants:
        for candidate, packed, choose in ours.whole(variant):
            network = Clocked(packed, choose=choose)
            yield candidate, whole(network), network.clock
            if not network.config.both_ways:
                network = Clocked(packed, frames=1, choose=choose)
                yield replace(candidate, name=candidate.name + STREAMED), streamed(network), network.clock


def _noise(seconds: int) -> Tensor:
    return 0.1 * torch.randn(seconds * SAMPLE_RATE, generator=torch.Generator().manual_seed(0))
