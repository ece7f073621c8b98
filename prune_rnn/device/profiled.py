"""Stage 5: which kernels the time goes into, by torch's profiler: of our sparse layer, and of a training step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from prune_rnn.bench.job import Layer
from prune_rnn.bench.matrices import masked
from prune_rnn.config.config import compose_config
from prune_rnn.device.batches import randoms
from prune_rnn.device.training import trainer
from prune_rnn.engine.cuda import BLOCKS, CudaMatrix
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model.cells import Cells
from prune_rnn.typed import Plain

_LAUNCHES = ("cudaLaunch", "cuLaunch", "cudaGraphLaunch", "cudaMemcpy", "cudaMemset")  # calls of the CUDA runtime
_TOP = 8  # kernels that are shown of each
_STEPS = 32  # time steps of the layer: those of one graph


def rows(dry: bool, folder: Path) -> Iterator[Plain]:
    """Yields the costliest kernels of each work: microseconds and launches for one call, and the share of its time."""
    device = "cpu" if dry else "cuda"
    units = 4 if dry else 2560
    for dtype in (Dtype.float32, Dtype.int8):
        work, size = _layer(units, dtype, device)
        yield from _profiled(f"sparse layer, GRU {units}, 95 %, {dtype.value}, {_STEPS} steps", work, device, size)
    yield from _profiled(*_training(device, dry), device)


def _layer(units: int, dtype: Dtype, device: str) -> tuple[Callable[[], Any], int | None]:
    """Returns the layer of one stream, and the bytes of its matrix over all steps; None where a dense one serves."""
    cell, generator = Cells.gru.value, torch.Generator().manual_seed(0)
    weight = quantise(masked(3 * units, units, 0.95, False, generator), dtype)
    matrix = CudaMatrix(weight, gates=3, device=device, block=BLOCKS[0] if device == "cpu" else None)
    x = torch.randn(_STEPS, 1, 3 * units, generator=generator)
    work = Layer(weight=weight.values, x=x, cell=cell).on(matrix)
    return work, None if matrix.dense else matrix.bytes * _STEPS


def _training(device: str, dry: bool) -> tuple[str, Callable[[], Any]]:
    shared = ["model=gru_dense", "scale=paper", "train.batch_size=64", "train.steps_per_epoch=1000"]
    if dry:
        shared += ["scale.width=0.01", "scale.conv_channels=1", "train.batch_size=2"]
    config = compose_config(shared)
    groups, load = randoms(config.train.batch_size, 1, 1.0 if dry else 5.5)
    run = trainer(config, groups, load, torch.device(device))
    (batch,) = load(groups)
    name = f"training step, GRU {config.model.units}, batch {config.train.batch_size}"
    return name, lambda: run.one_step(batch, 0)


def _profiled(name: str, work: Callable[[], Any], device: str, size: int | None = None) -> Iterator[Plain]:
    """Yields the rows of one work. size: bytes that it reads at least, for the row of the bandwidth."""
    for _ in range(3):  # compiles, captures
        work()
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    _wait(device)
    with profile(activities=activities, acc_events=True) as found:
        work()
        _wait(device)
    time_of = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    events = sorted(found.key_averages(), key=lambda each: -getattr(each, time_of))
    if device == "cuda":
        events = [each for each in events if each.device_type.name == "CUDA"]
    total = max(1e-9, sum(getattr(each, time_of) for each in events))
    calls = sum(each.count for each in found.key_averages() if each.key.startswith(_LAUNCHES))
    rate = {} if size is None else {"GB/s of the matrix": size / total / 1e3}
    yield {
        "work": name, "kernel": "all", "us": total, "share %": 100.0, "times": sum(each.count for each in events),
        "launch calls": calls if device == "cuda" else None, **rate,
    }  # fmt: skip
    for each in events[:_TOP]:
        us = getattr(each, time_of)
        yield {"work": "", "kernel": each.key[:60], "us": us, "share %": 100 * us / total, "times": each.count}


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
