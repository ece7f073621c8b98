"""Times one group: everything that can do the same job, in turn, so that all ratios within a group are fair.

A group is one workload (product, layer or network), one shape and one number of streams.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from prune_rnn.bench import opponents, ours
from prune_rnn.bench.candidate import Candidate, Measurement, Way
from prune_rnn.bench.job import NETWORK, PRODUCT, Job, Layer, Product
from prune_rnn.bench.matrices import OWN_MASK, UNSTRUCTURED, Masked, Shape, matrices
from prune_rnn.bench.networks import FRAMES, Variant
from prune_rnn.bench.right import those_right
from prune_rnn.cuda import home
from prune_rnn.engine.timing import in_turn
from prune_rnn.speech.features import BINS

SETTLE = 0.02  # seconds before each measurement


@dataclass(frozen=True, slots=True)
class Timing:
    """How a group is timed. threads: of the CPU. seconds: of one measurement, about. device: cpu or cuda."""

    threads: int
    rounds: int
    seconds: float
    device: str = "cpu"

    def of(self, workload: str, shape: str, streams: int, ways: Sequence[Way], steps: int = 1) -> list[Measurement]:
        """Returns a group's measurements; a call of each way takes `steps` steps."""
        torch.set_num_threads(self.threads)
        work = [_finished(run) if self.device == "cuda" and home() == "cuda" else run for _, run in ways]
        with torch.no_grad():
            times = in_turn(work, self.rounds, self.seconds, SETTLE)
        return [
            Measurement(workload, shape, streams, candidate, [1e6 * each / steps for each in seconds])
            for (candidate, _), seconds in zip(ways, times, strict=True)
        ]


def _finished(run: Callable[[], Any]) -> Callable[[], None]:
    """Returns `run` with a wait for the device: kernels are only queued when it returns."""

    def finished() -> None:
        run()
        torch.cuda.synchronize()

    return finished


def steps_of(streams: int) -> int:
    """Returns how many steps of a layer one call takes."""
    return max(4, 32 // streams)


def job_of(workload: str, shape: Shape, weight: Tensor, streams: int, threads: int) -> Job:
    """Returns a product or a layer with random vectors, of another seed than the weights'."""
    generator = torch.Generator().manual_seed(1)
    if workload == PRODUCT:
        x = torch.rand(streams, shape.units, generator=generator)
        return Product(weight=weight, x=x, gates=shape.cell.gates, threads=threads)
    x = torch.randn(steps_of(streams), streams, shape.rows, generator=generator)
    return Layer(weight=weight, x=x, cell=shape.cell, threads=threads)


def ways(job: Job, sparse: Sequence[Masked], device: str) -> Iterator[Way]:
    """Yields all ways to do a job: dense with its own weight, and sparse with each of the masks."""
    libraries = opponents.installed(device)
    for each in those_right(chain.from_iterable(library.dense(job) for library in libraries), job):
        yield Candidate(each.name, each.type_name, exact=each.exact), each.run
    yield from ours.dense(job, device)
    for masked in sparse:
        own = replace(job, weight=masked.weight)
        yield from ours.sparse(own, masked, device)
        if isinstance(own, Product) and masked.mask in (UNSTRUCTURED, OWN_MASK):
            for each in those_right(chain.from_iterable(library.sparse_products(own) for library in libraries), own):
                yield Candidate(each.name, each.type_name, masked.sparsity, masked.mask), each.run


def recurrent(
    workload: str,
    shape: Shape,
    streams: Iterable[int],
    sparsity: Iterable[float],
    timing: Timing,
    masks: Collection[str] | None = None,
) -> Iterator[list[Measurement]]:
    """Yields the groups of one shape's product or layer, one for each number of streams. masks: which; None: all."""
    dense, sparse = matrices(shape, sparsity, break_even=timing.device == "cpu")
    sparse = [each for each in sparse if masks is None or each.mask in masks]
    for each in streams:
        torch.set_num_threads(timing.threads)
        job = job_of(workload, shape, dense, each, timing.threads)
        found = list(ways(job, sparse, timing.device))
        group = timing.of(workload, shape.name, each, found, job.steps)
        del found  # its matrices, before the next group's are packed
        yield group


def network(name: str, variants: Sequence[Variant], timing: Timing) -> list[Measurement]:
    """Returns the group of a whole network over a second of audio, one stream, on the CPU."""
    features = torch.randn(BINS, FRAMES, generator=torch.Generator().manual_seed(0))
    torch.set_num_threads(timing.threads)
    found: list[Way] = []
    with torch.inference_mode():
        for variant in variants:
            found += ours.networks(variant, features)
        return timing.of(NETWORK, name, 1, found)
