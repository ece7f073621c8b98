"""The job of a group: a recurrent product, or a recurrent layer over a sequence. All ways of a group get the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import Tensor

from prune_rnn.engine.base import Backend
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation

PRODUCT, LAYER, NETWORK, STAGES = "product", "layer", "network", "stages"
WORKLOADS = (PRODUCT, LAYER, NETWORK, STAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """x times the transposed weight, (streams, rows).

    weight: (rows, columns) float32. x: (streams, columns) float32. gates: how many gates the rows belong to.
    """

    workload: ClassVar[str] = PRODUCT
    steps: ClassVar[int] = 1

    weight: Tensor
    x: Tensor
    gates: int = 1
    threads: int = 1

    @property
    def streams(self) -> int:
        """Vectors at a time."""
        return len(self.x)

    def on(self, matrix: Backend) -> Callable[[], Any]:
        """Returns a function that computes this with a packed matrix, on the matrix's device."""
        return partial(matrix.product, self.x.to(matrix.device))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The states of a recurrent layer, (steps, streams, units), from a zero state, forward in time.

    weight: the recurrent matrix, (gates * units, units) float32. x: the input contribution, (steps, streams, gates *
    units) float32.
    """

    workload: ClassVar[str] = LAYER

    weight: Tensor
    x: Tensor
    cell: Cell
    activation: Activation = Activation.clipped_relu
    threads: int = 1

    @property
    def steps(self) -> int:
        """Time steps of the sequence."""
        return len(self.x)

    @property
    def streams(self) -> int:
        """Sequences at a time."""
        return self.x.shape[1]

    @property
    def gates(self) -> int:
        """Products of `units` rows in the matrix."""
        return self.cell.gates

    @property
    def units(self) -> int:
        """Rows of each gate, and columns."""
        return self.weight.shape[1]

    def on(self, matrix: Backend) -> Callable[[], Any]:
        """Returns a function that computes this with a packed matrix, on the matrix's device."""
        return partial(matrix.layer, self.cell, self.activation, self.x.to(matrix.device))


Job = Product | Layer
