"""Leaves out opponents whose results are wrong: their times could be compared with nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from prune_rnn.bench.job import Job, Layer
from prune_rnn.bench.opponents.base import Baseline
from prune_rnn.bench.ours import trained
from prune_rnn.engine.quantise import Dtype

# largest error over largest value: the rounding of weights and vectors, and of one scale for a whole int8 matrix
TOLERANCE = {Dtype.float32: 1e-4, Dtype.bfloat16: 0.02, Dtype.int8: 0.1}
_STEPS = 2  # of a layer that are compared: the first product is of zeros; later steps would add up roundings


def reference(job: Job) -> Tensor:
    """Returns the result in double precision: (streams, rows), or a layer's first steps (steps, streams, units)."""
    if not isinstance(job, Layer):
        return job.x.double() @ job.weight.detach().double().t()
    return trained(replace(job, x=job.x[:_STEPS].double(), weight=job.weight.double()))


def error(found: Tensor, wanted: Tensor) -> float:
    """Returns the largest error over the largest value; more results than wanted are further steps."""
    own = found.detach().cpu().double().reshape(-1, *wanted.shape[1:])[: len(wanted)]
    return float((own - wanted).abs().max() / wanted.abs().max().clamp_min(1e-30))


def those_right(ways: Iterable[Baseline], job: Job) -> Iterator[Baseline]:
    """Yields the ways whose result is the job's, or that aren't exact; names the others on the error stream."""
    wanted = reference(replace(job, x=job.x.cpu(), weight=job.weight.cpu()))
    for each in ways:
        off = error(torch.as_tensor(each.run()), wanted) if each.exact else 0.0
        if off <= TOLERANCE[each.dtype]:
            yield each
            continue
        rows, columns = job.weight.shape
        print(
            f"prune-rnn: {each.name} left out of the {job.workload} of {rows} x {columns}, {job.streams} stream(s): "
            f"its result is off by {off:.2g} of the largest value, more than {TOLERANCE[each.dtype]:g}",
            file=sys.stderr,
            flush=True,
        )
