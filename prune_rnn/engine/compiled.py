"""The C++ engine: a sparse matrix packed for this machine, its product, and a recurrent layer over a sequence.

Where it wasn't built (no compiler at installation), `engine.torch.CsrMatrix` does the same with torch's sparse product.
Denormal numbers count as zero within. A process that was forked from one that had the engine works on a single thread:
OpenMP's threads don't survive a fork, and asking for them would hang (torch's own products do); better spawn it.
"""

from __future__ import annotations

from enum import IntEnum

import torch
from torch import Tensor

from prune_rnn.engine.base import Backend
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation
from prune_rnn.native.library import InstructionSet
from prune_rnn.native.library import built as built
from prune_rnn.native.library import instruction_sets as instruction_sets

MOST_COLUMNS = 65_536  # column numbers have 16 bits
MOST_WEIGHTS = 2**31 - 1  # positions of weights have 32 bits, signed


class Format(IntEnum):
    """How the engine holds a matrix; details: `native/sparse/kernels.h`."""

    rows = 1
    blocks = 2
    lanes = 3
    lane_blocks = 4
    lane_dense = 5
    pairs = 6


def formats(dtype: Dtype, instruction_set: InstructionSet) -> list[Format]:
    """Returns the formats that the instruction set has for weights of the type; none without the library."""
    library = built()
    if library is None:
        return []
    return [each for each in Format if library.prune_rnn_has(instruction_set, dtype.kind, each)]


def _at(array: Tensor | None) -> int | None:
    return None if array is None else array.data_ptr()


class Matrix(Backend):
    """A sparse matrix that the engine multiplies with.

    streams: the number of vectors at a time that it is packed for; any number may be multiplied. threads: at most so
    many; None: as torch has. A vector that holds NaN or infinity gives NaN in every row. ValueError for a matrix that
    passes the limits above, and for a format that the instruction set lacks.
    threads, bytes, nonzero: of the packed matrix. vectors: steps that the format's kernel takes for a single stream.
    """

    def __init__(
        self,
        weight: Weight,
        format: Format,
        *,
        gates: int = 1,
        streams: int = 1,
        threads: int | None = None,
        instruction_set: InstructionSet | None = None,
    ) -> None:
        super().__init__(weight, gates=gates)
        library = built()
        assert library is not None, "ask `instruction_sets` first"
        if self.columns > MOST_COLUMNS:
            raise ValueError(f"a matrix of {self.columns} columns: the engine takes at most {MOST_COLUMNS}")
        if self.rows > MOST_WEIGHTS or (nonzero := int(weight.values.count_nonzero())) > MOST_WEIGHTS:
            what = f"{self.rows:,} rows" if self.rows > MOST_WEIGHTS else f"{nonzero:,} weights that are not zero"
            raise ValueError(f"a matrix of {what}: the engine takes at most {MOST_WEIGHTS:,}")
        self.instruction_set = instruction_sets()[0] if instruction_set is None else instruction_set
        if self.instruction_set not in instruction_sets():
            raise ValueError(f"this machine has no {self.instruction_set.name}")
        if format not in formats(self.dtype, self.instruction_set):
            raise ValueError(f"{self.instruction_set.name} has no format {format.name} of {self.dtype.value}")
        if (weight.scale is None) == (self.dtype is Dtype.int8):
            raise ValueError("int8 weights need the scales of their rows, and other weights have none")
        if weight.scale is not None and weight.scale.shape != (self.rows,):
            raise ValueError(f"scales of shape {tuple(weight.scale.shape)} for {self.rows} rows")
        if weight.values.device.type != "cpu":
            raise ValueError(f"weights on {weight.values.device}: the engine works on the CPU")
        if self.dtype is Dtype.int8 and (weight.values == -128).any():
            raise ValueError("an int8 weight of -128: the engine takes -127 to 127")
        dense = weight.values.float().contiguous()
        scale = None if weight.scale is None else weight.scale.float().contiguous()
        threads = torch.get_num_threads() if threads is None else threads
        self._library = library
        self._pointer = library.prune_rnn_pack(
            self.rows, self.columns, gates, _at(dense), _at(scale), weight.dtype.kind, threads, self.instruction_set,
            format, streams,
        )  # fmt: skip
        if not self._pointer:
            raise MemoryError("no memory to pack the matrix")
        described = torch.zeros(4, dtype=torch.int64)
        library.prune_rnn_describe(self._pointer, _at(described))
        self.format = format
        self.threads, self.bytes, self.vectors, self.nonzero = described.tolist()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self._library.prune_rnn_free(self._pointer)

    def _product(self, x: Tensor) -> Tensor:
        y = torch.empty(len(x), self.rows)
        if self._library.prune_rnn_product(self._pointer, len(x), _at(x), _at(y)):
            raise MemoryError("no memory for the product")
        return y

    def _layer(
        self, cell: Cell, activation: Activation, x: Tensor, state: Tensor | None, reverse: bool
    ) -> tuple[Tensor, Tensor]:
        steps, streams, _ = x.shape
        last = torch.zeros(streams, cell.vectors * self.units) if state is None else state.detach().clone()
        out = torch.empty(steps, streams, self.units)
        if self._library.prune_rnn_layer(
            self._pointer, cell.kind, activation is Activation.tanh, steps, streams, reverse, _at(x), _at(last),
            _at(out),
        ):  # fmt: skip
            raise MemoryError("no memory for the layer")
        return out, last

    def _both_ways(self, back: Backend, cell: Cell, activation: Activation, x: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(back, Matrix):
            return super()._both_ways(back, cell, activation, x)
        steps, streams, _ = x.shape
        ahead, behind = torch.empty(2, steps, streams, self.units)
        last = torch.zeros(2, streams, cell.vectors * self.units)
        if self._library.prune_rnn_both_ways(
            self._pointer, back._pointer, cell.kind, activation is Activation.tanh, steps, streams, _at(x),
            _at(last[0]), _at(ahead), _at(last[1]), _at(behind),
        ):  # fmt: skip
            raise MemoryError("no memory for the layer")
        return ahead, behind
