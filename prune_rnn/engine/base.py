"""A backend: products with one sparse matrix, by any library, on any device."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from prune_rnn.engine.quantise import Weight
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation


class Backend(ABC):
    """A sparse matrix ready to be multiplied with: its product, and the recurrent layer whose matrix it is.

    weight: (rows, columns). gates: how many products of rows/gates units it holds. Results are float32 on `device`;
    arguments may be of any device and floating type. On the CPU a vector that holds NaN gives NaN in every row.
    """

    def __init__(self, weight: Weight, *, gates: int = 1, device: torch.device | str = "cpu") -> None:
        self.rows, self.columns = weight.values.shape
        self.gates, self.dtype, self.device = gates, weight.dtype, torch.device(device)
        if self.rows % gates:
            raise ValueError(f"a matrix of {self.rows} rows can't hold {gates} gates")

    @property
    def units(self) -> int:
        """Rows of each gate."""
        return self.rows // self.gates

    def product(self, x: Tensor) -> Tensor:
        """(streams, columns) -> (streams, rows): x times the transposed matrix."""
        return self._product(self._given(x, x.dim() == 2 and x.shape[1] == self.columns, f"(streams, {self.columns})"))

    def layer(
        self,
        cell: Cell,
        activation: Activation,
        x: Tensor,
        *,
        state: Tensor | None = None,
        reverse: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Runs the recurrent layer whose recurrent matrix this is, and returns (outputs, last state).

        x: (steps, streams, gates * units), the input contribution. state: (streams, vectors * units), zero where None.
        reverse: from the last step to the first.
        Outputs are (steps, streams, units), of each state as by `cell.step`. ValueError where shapes don't fit.
        """
        x = self._sequence(cell, x)
        if state is not None:
            wanted = (x.shape[1], cell.vectors * self.units)
            state = self._given(state, state.shape == wanted, str(wanted))
        return self._layer(cell, activation, x, state, reverse)

    def both_ways(self, back: Backend, cell: Cell, activation: Activation, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the outputs of this matrix's layer and, over the same inputs, of `back`'s layer in reverse.

        Each is what `layer` returns; where the engine has both, they run at the same time.
        """
        x = self._sequence(cell, x)
        back._sequence(cell, x)
        return self._both_ways(back, cell, activation, x)

    def _sequence(self, cell: Cell, x: Tensor) -> Tensor:
        """Returns x as `_given` does; ValueError where the layer's arguments don't fit the matrix."""
        if cell.gates != self.gates:
            raise ValueError(f"a matrix of {self.gates} gates in a layer of the {cell.name}, which has {cell.gates}")
        if self.columns != self.units:
            raise ValueError(f"a matrix of {self.rows} x {self.columns} is not a recurrent one of {self.units} units")
        return self._given(x, x.dim() == 3 and x.shape[2] == self.rows, f"(steps, streams, {self.rows})")

    def _given(self, x: Tensor, fits: bool, wanted: str) -> Tensor:
        """Returns x on the device, float32 and contiguous; ValueError where it doesn't fit the wanted shape."""
        if not fits:
            raise ValueError(f"an array of shape {tuple(x.shape)} where {wanted} is wanted")
        x = x.to(self.device)
        return x if x.dtype is torch.float32 and x.is_contiguous() else x.float().contiguous()

    @abstractmethod
    def _product(self, x: Tensor) -> Tensor:
        """Returns what `product` does; x is checked."""

    @abstractmethod
    def _layer(
        self, cell: Cell, activation: Activation, x: Tensor, state: Tensor | None, reverse: bool
    ) -> tuple[Tensor, Tensor]:
        """Returns what `layer` does; all arguments are checked, x and state moved."""

    def _both_ways(self, back: Backend, cell: Cell, activation: Activation, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what `both_ways` does; all arguments are checked, x is moved."""
        ahead = self._layer(cell, activation, x, None, False)[0]
        return ahead, back._layer(cell, activation, x, None, True)[0]
