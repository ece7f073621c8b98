"""The public way to multiply with a sparse matrix: the engine, or torch's sparse or dense product, as is fastest."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Protocol

import torch
from torch import Tensor

from prune_rnn.engine import native
from prune_rnn.engine.quantise import Weight, quantised_vectors
from prune_rnn.engine.timing import in_turn
from prune_rnn.model.deepspeech2 import Cell
from prune_rnn.model.recurrence import Activation

_ROUNDS = 3  # of the timing that chooses
_SECONDS = 0.002  # that a round of it takes, about


class Multiplier(Protocol):
    """What `native.Matrix` and the classes below have in common; shapes are explained there."""

    def product(self, x: Tensor) -> Tensor:
        """(streams, columns) -> (streams, rows)."""

    def layer(
        self,
        cell: Cell,
        activation: Activation,
        x: Tensor,
        *,
        state: Tensor | None = None,
        lengths: Tensor | None = None,
        reverse: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """(steps, streams, gates * units) -> states (steps, streams, units), last state (streams, units)."""


class _TorchMatrix:
    """The engine's work in torch, one step at a time; vectors are rounded as the engine rounds them."""

    def __init__(self, weight: Weight, *, gates: int = 1) -> None:
        self.rows, self.columns = weight.values.shape
        self.gates, self.dtype = gates, weight.dtype
        if self.rows % gates:
            raise ValueError(f"a matrix of {self.rows} rows can't hold {gates} gates")

    def _times(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def product(self, x: Tensor) -> Tensor:
        return self._times(quantised_vectors(x, self.dtype))

    def layer(
        self,
        cell: Cell,
        activation: Activation,
        x: Tensor,
        *,
        state: Tensor | None = None,
        lengths: Tensor | None = None,
        reverse: bool = False,
    ) -> tuple[Tensor, Tensor]:
        steps, streams, _ = x.shape
        n = self.rows // self.gates
        h = torch.zeros(streams, n) if state is None else state
        out = torch.empty(steps, streams, n)
        for t in reversed(range(steps)) if reverse else range(steps):
            uh = self.product(h)
            if cell is Cell.rnn:
                h = activation.apply_(x[t] + uh)
            else:
                z, r = (x[t, :, : 2 * n] + uh[:, : 2 * n]).sigmoid_().split(n, dim=1)
                h = torch.lerp(h, activation.apply_(torch.addcmul(x[t, :, 2 * n :], r, uh[:, 2 * n :])), z)
            if lengths is not None:
                h = h * (t < lengths)[:, None]
            out[t] = h
        return out, h


class CsrMatrix(_TorchMatrix):
    """torch's sparse product, with 32-bit indices."""

    def __init__(self, weight: Weight, *, gates: int = 1) -> None:
        super().__init__(weight, gates=gates)
        dense = weight.float()
        row, column = dense.nonzero(as_tuple=True)
        starts = torch.zeros(self.rows + 1, dtype=torch.int32)
        starts[1:] = torch.bincount(row, minlength=self.rows).cumsum(0)
        with warnings.catch_warnings():  # "in beta state"
            warnings.simplefilter("ignore")
            self._sparse = torch.sparse_csr_tensor(starts, column.int(), dense[row, column], dense.shape)

    def _times(self, x: Tensor) -> Tensor:
        return (self._sparse @ x[0])[None] if len(x) == 1 else (self._sparse @ x.t()).t()


class DenseMatrix(_TorchMatrix):
    """torch's dense product in float32."""

    def __init__(self, weight: Weight, *, gates: int = 1) -> None:
        super().__init__(weight, gates=gates)
        self._dense = weight.float()

    def _times(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self._dense)


@cache
def note() -> str:
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
