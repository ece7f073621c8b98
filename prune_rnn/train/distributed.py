"""Training in several processes under torchrun; in a single one every function here is the identity."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from prune_rnn.usage import UsageError, check_device


def _active() -> bool:
    return dist.is_available() and dist.is_initialized()


def launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def rank() -> int:
    """Returns this process's number, from 0."""
    return dist.get_rank() if _active() else 0


def local_rank() -> int:
    """Returns this process's number on its machine, from 0: which GPU is its own."""
    return int(os.environ.get("LOCAL_RANK", 0))


def launched_rank() -> int:
    """Returns this process's number, from 0, also before and after the processes are joined."""
    return int(os.environ.get("RANK", 0))


def world() -> int:
    """Returns the number of processes."""
    return dist.get_world_size() if _active() else 1


def usable_device(name: str) -> torch.device:
    """Returns the device of that name, `auto` included; ValueError where it can't be used."""
    check_device(name)
    if name in ("auto", "cuda") and torch.cuda.is_available():
        name = f"cuda:{local_rank()}"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name.startswith("cuda") and int(name[5:] or 0) >= count:
        finds = f"finds {count} CUDA devices, from cuda:0 on" if count else "finds no CUDA device here"
        raise UsageError(f"device={name}: torch {finds}; give device=cpu, or leave it out")
    try:
        device = torch.device("cpu" if name == "auto" else name)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device={name} can't be used ({reason}); try device=cpu or device=auto") from None
    return device


@contextmanager
def group(device: torch.device) -> Iterator[None]:
    """Joins the processes that torchrun started, if it did, until the end of the block."""
    if not launched() or _active():
        yield
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        gc.collect()  # a wrapped model lies in a cycle; outliving the group, it aborts the process at its end
        dist.destroy_process_group()


def wrap(model: nn.Module) -> nn.Module:
    """Returns the model with gradients averaged over the processes."""
    return DistributedDataParallel(model) if _active() else model


def all_reduce_sum(value: float) -> float:
    """Returns the sum over the processes."""
    if not _active():
        return value
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    tensor = torch.tensor(value, dtype=torch.float64, device=device)
    dist.all_reduce(tensor)
    return float(tensor)


def barrier() -> None:
    """Waits for all processes."""
    all_reduce_sum(0.0)
