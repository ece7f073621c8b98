"""What all code for CUDA devices shares: Triton where it is installed, where its kernels run, and graphs.

Loads without triton, and takes long to load with it: import it only where something is to run on a device.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import torch

triton: Any = None
tl: Any = None
with suppress(ImportError):
    triton, tl = import_module("triton"), import_module("triton.language")


def kernel(function: Callable[..., Any]) -> Any:
    """Compiles a function as a Triton kernel; without triton returns it as it is."""
    return function if triton is None else triton.jit(function)


def interpreted() -> bool:
    """Whether the kernels run in Triton's interpreter, on the CPU: under TRITON_INTERPRET=1."""
    return triton is not None and bool(triton.knobs.runtime.interpret)


def home() -> str:
    """Returns where the kernels run: "cpu" in Triton's interpreter, else "cuda"."""
    return "cpu" if interpreted() else "cuda"


def device_for(device: torch.device | str) -> torch.device:
    """Returns where the kernels are to run; ValueError where they can't."""
    device = torch.device(device)
    if triton is None:
        raise ValueError("the CUDA kernels need triton: pip install triton, or use `engine.choose.fastest` on the CPU")
    if device.type == "cpu":
        if not interpreted():
            raise ValueError(
                "on the CPU these kernels run only under TRITON_INTERPRET=1; use `engine.choose.fastest` there"
            )
    elif device.type != "cuda" or not torch.cuda.is_available():
        raise ValueError(f"no CUDA device at {device}: use `engine.choose.fastest` on the CPU")
    return device


class Replayed:
    """Work on a device that is launched as one CUDA graph at each call; on the CPU the work itself is called.

    work: the same kernels on the same addresses at each call. On a device it is called once at once, on what its
    buffers hold then, and captured.
    """

    def __init__(self, work: Callable[[], None], device: torch.device) -> None:
        self._run = work
        if device.type != "cuda":
            return
        # nothing may be compiled or set up during the capture: triton compiles anew where addresses align otherwise
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            work()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # thread_local: other threads, such as NCCL's, go on
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            work()
        self._run = graph.replay

    def __call__(self) -> None:
        self._run()
