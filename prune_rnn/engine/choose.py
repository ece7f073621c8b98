"""The public way to multiply with a sparse matrix: the engine, or torch's sparse or dense product, as is fastest."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import torch

from prune_rnn.engine import native
from prune_rnn.engine.base import Multiplier
from prune_rnn.engine.quantise import Weight
from prune_rnn.engine.timing import in_turn
from prune_rnn.engine.torch import CsrMatrix, DenseMatrix
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation

_ROUNDS = 3  # of the timing that chooses
_SECONDS = 0.002  # that a round of it takes, about


def describe_backend() -> str:
    """Returns one line that says what computes on this machine."""
    if sets := native.instruction_sets():
        return f"sparse products: the engine, for {sets[0].name}"
    return "sparse products: torch CSR, since the engine wasn't built (no C++ compiler at installation?); it is slower"


def fastest(weight: Weight, *, gates: int = 1, streams: int = 1, cell: Cell | None = None) -> Multiplier:
    """Returns what multiplies fastest with the matrix on this machine, found by timing; never slower than torch dense.

    streams: so many vectors at a time. cell: times the recurrent layer, else the product alone.
    """
    candidates: list[Multiplier] = [DenseMatrix(weight, gates=gates)]
    if native.instruction_sets():
        candidates.append(native.Matrix(weight, gates=gates, streams=streams))
    else:
        candidates.append(CsrMatrix(weight, gates=gates))
    rows, columns = weight.values.shape
    with torch.no_grad():
        if cell is None:
            x = torch.ones(streams, columns)
            work: list[Callable[[], object]] = [partial(m.product, x) for m in candidates]
        else:
            inputs = torch.zeros(8, streams, rows)
            work = [partial(m.layer, cell, Activation.clipped_relu, inputs) for m in candidates]
        seconds = in_turn(work, _ROUNDS, _SECONDS)
    return candidates[min(range(len(candidates)), key=lambda i: statistics.median(seconds[i]))]
