"""On a CUDA device: cuBLAS, and cuSPARSE through torch. `run` doesn't wait for the device to finish."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from prune_rnn.bench.job import Layer, Product
from prune_rnn.bench.opponents.base import Baseline, Opponent
from prune_rnn.engine.cuda import CublasMatrix
from prune_rnn.engine.quantise import Dtype, Weight

_DENSE = (Dtype.float32, Dtype.bfloat16)


class Cuda(Opponent):
    """cuBLAS and cuSPARSE. bfloat16 rounds the sums too and isn't exact. at: another device than "cuda", for tests."""

    packages = ("torch", "triton")  # triton: the gates of cuBLAS's layer are one kernel
    device = "cuda"

    def __init__(self, at: str = "cuda") -> None:
        self._at = at

    def products(self, job: Product) -> Iterator[Baseline]:
        """Yields cuBLAS's products."""
        for dtype in _DENSE:
            x = job.x.to(self._at, dtype.torch)
            transposed = job.weight.detach().to(self._at, dtype.torch).t()
            run = partial(torch.mm, x, transposed)
            yield Baseline(f"cuBLAS {dtype.value}", dtype, run, exact=dtype is Dtype.float32)

    def sparse_products(self, job: Product) -> Iterator[Baseline]:
        """Yields cuSPARSE's product of a CSR matrix with 32-bit indices."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "in beta state"; its invariants unchecked
            wide = job.weight.detach().to(self._at).to_sparse_csr()  # its indices have 64 bits
            indices = wide.crow_indices().int(), wide.col_indices().int()
            sparse = torch.sparse_csr_tensor(*indices, wide.values(), wide.shape)
        x = job.x.to(self._at)
        right = x[0] if job.streams == 1 else x.t()  # a vector has a quicker product
        yield Baseline("cuSPARSE", Dtype.float32, lambda: (sparse @ right).view(len(job.weight), -1).t())

    def layers(self, job: Layer) -> Iterator[Baseline]:
        """Yields cuBLAS's products with fused gates, under CUDA graphs."""
        for dtype in _DENSE:
            weight = Weight(job.weight.detach())
            matrix = CublasMatrix(weight, gates=job.gates, dtype=dtype.torch, device=self._at)
            run = partial(_states, matrix, job.at(self._at))
            yield Baseline(f"cuBLAS, graph {dtype.value}", dtype, run, exact=dtype is Dtype.float32)


def _states(matrix: CublasMatrix, job: Layer) -> Tensor:
    states, _ = matrix.layer(job.cell, job.activation, job.x)
    return states
