"""This project's own ways to do a job: the engine on the CPU, the Triton kernels on a CUDA device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from prune_rnn.bench.candidate import Candidate, Way
from prune_rnn.bench.job import Job, Layer
from prune_rnn.bench.matrices import FORCED, Masked
from prune_rnn.bench.networks import Variant
from prune_rnn.cuda import home
from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.file import Packed
from prune_rnn.deploy.network import Network
from prune_rnn.engine import compiled
from prune_rnn.engine.base import Backend
from prune_rnn.engine.choose import fastest, fastest_format
from prune_rnn.engine.compiled import Format, Matrix
from prune_rnn.engine.cuda import CudaMatrix
from prune_rnn.engine.quantise import Dtype, Weight, quantise
from prune_rnn.engine.torch import DenseMatrix
from prune_rnn.model.states import states

NAMES = ("engine", "prune-rnn", "Triton")  # what the names of the sparse ways begin with


def dense(job: Job, device: str) -> Iterator[Way]:
    """Yields the loop that trains, and the engine's dense format where this machine has it; none on a CUDA device."""
    if device != "cpu":
        return
    if isinstance(job, Layer):
        yield Candidate("prune_rnn float32", Dtype.float32.value), partial(trained, job)
    for dtype in Dtype:
        if _has_lanes(dtype):
            yield _engine(job, dtype, Format.lane_dense, Candidate(f"engine dense {dtype.value}", dtype.value))


def sparse(job: Job, masked: Masked, device: str) -> Iterator[Way]:
    """Yields the sparse ways in each type of weights; none on the CPU without the compiled engine.

    job: its weight is the masked one.
    """
    if device == "cpu" and not compiled.instruction_sets():
        return
    for dtype in Dtype:
        forced = Format.lanes if _has_lanes(dtype) else Format.rows
        name = f"{'engine' if device == 'cpu' else 'Triton'} {dtype.value}"
        candidate = Candidate(name, dtype.value, masked.sparsity, masked.mask)
        if device == "cpu":
            yield _engine(job, dtype, forced if masked.mask == FORCED else None, candidate)
        else:
            yield _triton(job, dtype, candidate)


def networks(variant: Variant, features: Tensor) -> Iterator[Way]:
    """Yields a whole network in each type, with the fastest backends; a dense one with torch and the engine's dense.

    features: (bins, frames), normalised.
    """
    for candidate, packed, choose in whole(variant):
        start = time.perf_counter()
        made = Network(packed, choose=choose)
        yield replace(candidate, packing_seconds=time.perf_counter() - start), partial(log_probs, made, features)


def whole(variant: Variant) -> Iterator[tuple[Candidate, Packed, Callable[..., Backend]]]:
    """Yields the ways to compute a whole network in each type, with what chooses its products."""
    for dtype, packed in variant.by_dtype.items():
        chosen: list[tuple[str, Callable[..., Backend]]] = [(f"prune-rnn {dtype.value}", fastest)]
        if variant.sparsity is None:
            chosen = [("torch float32", _torch_dense)] if dtype is Dtype.float32 else []
            chosen += [(f"engine dense {dtype.value}", _engine_dense)] if _has_lanes(dtype) else []
        for name, choose in chosen:
            yield Candidate(name, dtype.value, variant.sparsity, variant.mask), packed, choose


def trained(job: Layer) -> Tensor:
    """Returns the states, (steps, streams, units), by the loop that trains.

    It transposes the weight first, each time, and skips the first product.
    """
    with torch.no_grad():
        frames, lengths = job.x.flatten(0, 1), torch.full((job.steps,), job.streams)
        found = states(job.cell, frames, job.weight.detach(), lengths, job.activation)
    return found.view(job.steps, job.streams, -1)


def _has_lanes(dtype: Dtype) -> bool:
    return any(Format.lanes in compiled.formats(dtype, each) for each in compiled.instruction_sets()[:1])


def _engine(job: Job, dtype: Dtype, form: Format | None, candidate: Candidate) -> Way:
    """Returns the engine's way in a format; None: the fastest one."""
    rounded = quantise(job.weight, dtype)
    if form is None:
        cell = job.cell if isinstance(job, Layer) else None
        form = fastest_format(rounded, gates=job.gates, streams=job.streams, cell=cell)
    start = time.perf_counter()
    made = Matrix(rounded, form, gates=job.gates, streams=job.streams, threads=job.threads)
    return candidate.packed(time.perf_counter() - start, form.name, made.bytes), job.on(made)


def _triton(job: Job, dtype: Dtype, candidate: Candidate) -> Way:
    start = time.perf_counter()
    made = CudaMatrix(quantise(job.weight, dtype), gates=job.gates, streams=job.streams, device=home())
    seconds = time.perf_counter() - start  # with the timings that choose
    form = "dense" if made.dense is not None else "sliced"
    return candidate.packed(seconds, form, made.bytes), job.on(made)


def _engine_dense(weight: Weight, **how: Any) -> Backend:
    how.pop("cell", None)
    return Matrix(weight, Format.lane_dense, **how)


def _torch_dense(weight: Weight, *, gates: int = 1, **_: Any) -> Backend:
    return DenseMatrix(weight, gates=gates)
