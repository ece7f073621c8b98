"""Backends of torch's products: they serve where the engine wasn't built, and are compared with it."""

from __future__ import annotations

import warnings
from abc import abstractmethod

import torch
from torch import Tensor

from prune_rnn.engine.base import Backend
from prune_rnn.engine.quantise import Weight, quantised_vectors
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation


class TorchMatrix(Backend):
    """Computes a layer one step at a time; vectors are rounded as the engine rounds them."""

    @abstractmethod
    def _times(self, x: Tensor) -> Tensor:
        """(streams, columns) -> (streams, rows), of vectors that are rounded."""

    def _product(self, x: Tensor) -> Tensor:
        return self._times(quantised_vectors(x, self.dtype))

    def _layer(
        self, cell: Cell, activation: Activation, x: Tensor, state: Tensor | None, reverse: bool
    ) -> tuple[Tensor, Tensor]:
        steps, streams, _ = x.shape
        n = self.units
        last = torch.zeros(streams, cell.vectors * n) if state is None else state.clone()
        states = torch.empty(steps, streams, cell.vectors * n)
        for t in reversed(range(steps)) if reverse else range(steps):
            last = cell.step(x[t], self._product(last[:, :n]), last, activation, out=states[t])
        return states[..., :n], last.clone()


class CsrMatrix(TorchMatrix):
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
        y = (self._sparse @ x[0])[None] if len(x) == 1 else (self._sparse @ x.t()).t()
        return y.masked_fill(~x.isfinite().all(1, keepdim=True), torch.nan)  # as the dense product does


class DenseMatrix(TorchMatrix):
    """torch's dense product in float32."""

    def __init__(self, weight: Weight, *, gates: int = 1) -> None:
        super().__init__(weight, gates=gates)
        self._dense = weight.float()

    def _times(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self._dense)
