"""What a user would run on a GPU instead of the sparse kernels: cuBLAS, and cuSPARSE through torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from prune_rnn.bench.baselines import Baseline
from prune_rnn.engine.cuda import CublasMatrix
from prune_rnn.engine.quantise import Weight
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation


def cuda_products(weight: Tensor, x: Tensor, device: torch.device | str = "cuda") -> Iterator[Baseline]:
    """Yields what a product of x, (streams, columns), may be compared with: cuBLAS, and cuSPARSE through torch."""
    x = x.to(device)
    for dtype in (torch.float32, torch.bfloat16):
        name, low = str(dtype).removeprefix("torch."), x.to(dtype)
        transposed = weight.detach().to(device, dtype).t()
        yield Baseline("cuBLAS", name, True, partial(torch.mm, low, transposed), exact=dtype is torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "in beta state"; its invariants unchecked
        wide = weight.detach().to(device).to_sparse_csr()  # its indices have 64 bits
        indices = wide.crow_indices().int(), wide.col_indices().int()
        sparse = torch.sparse_csr_tensor(*indices, wide.values(), wide.shape)
    vector = x[0] if len(x) == 1 else x.t()  # a vector has a quicker product
    yield Baseline("cuSPARSE", "float32", False, lambda: (sparse @ vector).view(weight.shape[0], -1).t())


def cuda_layers(
    cell: Cell, activation: Activation, weight: Tensor, x: Tensor, device: torch.device | str = "cuda"
) -> Iterator[Baseline]:
    """Yields what a layer over x, (steps, streams, gates * units), may be compared with: cuBLAS under CUDA graphs."""
    for dtype in (torch.float32, torch.bfloat16):
        matrix = CublasMatrix(Weight(weight.detach()), gates=cell.gates, dtype=dtype, device=device)
        run = partial(matrix.layer, cell, activation, x.to(matrix.device))
        name = str(dtype).removeprefix("torch.")
        yield Baseline("cuBLAS, graph", name, True, run, exact=dtype is torch.float32)
