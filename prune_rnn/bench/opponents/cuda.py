"""On a CUDA device: cuBLAS in four types, cuSPARSE through torch, cuDNN's layers. `run` doesn't wait for the device."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from prune_rnn.bench.job import Layer, Product
from prune_rnn.bench.opponents.base import Baseline, Opponent
from prune_rnn.bench.opponents.torch import module
from prune_rnn.cuda import home
from prune_rnn.engine.cuda import CublasMatrix
from prune_rnn.engine.quantise import Dtype, Weight

TF32 = "TF32"  # float32, with 10 bits of the fraction in products
# what the table calls it, torch's type, and the type whose tolerance holds
_DENSE = (
    (Dtype.float32.value, torch.float32, Dtype.float32),
    (TF32, torch.float32, Dtype.bfloat16),
    (Dtype.bfloat16.value, torch.bfloat16, Dtype.bfloat16),
    ("float16", torch.float16, Dtype.bfloat16),
)


class Cuda(Opponent):
    """cuBLAS, cuSPARSE, cuDNN. bfloat16 and float16 round the sums too. at: for tests; None: where the kernels run."""

    packages = ("torch", "triton")  # triton: the gates of cuBLAS's layer are one kernel
    device = "cuda"

    def __init__(self, at: str | None = None) -> None:
        self._at = at

    @property
    def _where(self) -> str:
        return self._at or home()

    def products(self, job: Product) -> Iterator[Baseline]:
        for name, kind, tolerance in _DENSE:
            x = job.x.to(self._where, kind)
            transposed = job.weight.detach().to(self._where, kind).t()
            run = _with_tf32(name == TF32, partial(torch.mm, x, transposed))
            yield Baseline(f"cuBLAS {name}", tolerance, run, weights=name)

    def sparse_products(self, job: Product) -> Iterator[Baseline]:
        """Yields cuSPARSE's product of a CSR matrix with 32-bit indices."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "in beta state"; its invariants unchecked
            wide = job.weight.detach().to(self._where).to_sparse_csr()  # its indices have 64 bits
            indices = wide.crow_indices().int(), wide.col_indices().int()
            sparse = torch.sparse_csr_tensor(*indices, wide.values(), wide.shape)
        x = job.x.to(self._where)
        right = x[0] if job.streams == 1 else x.t()  # a vector has a quicker product
        yield Baseline("cuSPARSE", Dtype.float32, lambda: (sparse @ right).view(len(job.weight), -1).t())

    def layers(self, job: Layer) -> Iterator[Baseline]:
        """Yields cuBLAS's products with fused gates, under CUDA graphs, and cuDNN's own layers."""
        for name, kind, tolerance in _DENSE:
            weight = Weight(job.weight.detach())
            matrix = CublasMatrix(weight, gates=job.gates, dtype=kind, device=self._where)
            run = _with_tf32(name == TF32, partial(_first, job.on(matrix)))
            yield Baseline(f"cuBLAS, graph {name}", tolerance, run, weights=name)
        for name, kind, tolerance in _DENSE:
            layer, zeros = module(job).to(self._where, kind), torch.zeros(job.steps, job.streams, 1)
            if self._where == "cuda":
                layer.flatten_parameters()  # else cuDNN copies the weights at each call
            run = _with_tf32(name == TF32, partial(layer, zeros.to(self._where, kind)))
            title = f"cuDNN {job.cell.name.upper()} {name} (no inputs)"
            yield Baseline(title, tolerance, partial(_first, run), exact=False, weights=name)


def _with_tf32(allowed: bool, run: Callable[[], Any]) -> Callable[[], Any]:
    """Returns `run` with TF32 allowed or not, in cuBLAS and cuDNN; afterwards all is as before."""

    def ran() -> Any:
        before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
        try:
            return run()
        finally:
            torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before

    return ran


def _first(run: Callable[[], Any]) -> Tensor:
    states: Tensor = run()[0]
    return states
