"""The matrices of the benchmark: a shape with random weights and masks, or with a trained network's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from prune_rnn.model.cell import Cell

UNSTRUCTURED, OWN_MASK = "unstructured", "its own mask"
BLOCKED = "blocks 16 x 1"
FORCED = "unstructured, format forced"  # with a sparse format where the engine would choose a dense one
BLOCK_ROWS = 16
BREAK_EVEN = (0.3, 0.5, 0.7)  # sparsity of FORCED masks, to find where sparse begins to pay


@dataclass(frozen=True, slots=True)
class Shape:
    """A recurrent matrix of (gates * units, units). weight: its own, with its own mask; None: random ones."""

    name: str
    label: str
    cell: Cell
    units: int
    weight: Tensor | None = None

    @property
    def rows(self) -> int:
        return self.cell.gates * self.units


@dataclass(frozen=True, slots=True)
class Masked:
    """A matrix with zeros. sparsity: zeros / all. mask: the kind of mask, as the table calls it."""

    sparsity: float
    mask: str
    weight: Tensor


def masked(rows: int, columns: int, sparsity: float, blocks: bool, generator: torch.Generator) -> Tensor:
    """Returns random weights, (rows, columns); each is kept with probability 1 - sparsity.

    blocks: 16 rows of a column are kept or not as a whole.
    """
    shape = (-(-rows // BLOCK_ROWS), columns) if blocks else (rows, columns)
    keep = torch.rand(shape, generator=generator) >= sparsity
    weight = torch.randn(rows, columns, generator=generator) * columns**-0.5
    kept: Tensor = weight * (keep.repeat_interleave(BLOCK_ROWS, 0)[:rows] if blocks else keep)
    return kept


def matrices(shape: Shape, sparsity: Iterable[float], break_even: bool) -> tuple[Tensor, list[Masked]]:
    """Returns the dense matrix of a shape and the sparse ones. break_even: FORCED masks too. Random ones: seed 0."""
    if shape.weight is not None:
        found = 1 - float(shape.weight.count_nonzero()) / shape.weight.numel()
        return shape.weight, [Masked(found, OWN_MASK, shape.weight)]
    generator = torch.Generator().manual_seed(0)
    rows, columns = shape.rows, shape.units
    dense = torch.randn(rows, columns, generator=generator) * columns**-0.5
    sparse = []
    for each in sparsity:
        sparse.append(Masked(each, UNSTRUCTURED, masked(rows, columns, each, False, generator)))
        sparse.append(Masked(each, BLOCKED, masked(rows, columns, each, True, generator)))
    for each in BREAK_EVEN if break_even else ():
        sparse.append(Masked(each, FORCED, masked(rows, columns, each, False, generator)))
    return dense, sparse
