"""The C++ engine: a sparse matrix packed for this machine, its product, and a recurrent layer over a sequence.

Where it wasn't built (no compiler at installation), `matrix.CsrMatrix` does the same with torch's sparse product.
"""

from __future__ import annotations

import ctypes
import os
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from prune_rnn import engine
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.model.deepspeech2 import Cell
from prune_rnn.model.recurrence import Activation

_LIBRARY = "cpp/libprune_rnn_engine.so"
MOST_COLUMNS = 65_536  # column numbers have 16 bits


class InstructionSet(IntEnum):
    """What the kernels are compiled for."""

    plain = 0
    avx2 = 1
    avx512 = 2  # with VBMI, VNNI and BF16


class Format(IntEnum):
    """How the engine holds a matrix; `engine/kernels.h` tells more. auto: the one that costs least."""

    auto = 0
    rows = 1
    blocks = 2
    lanes = 3
    lane_blocks = 4
    lane_dense = 5

    @property
    def needs(self) -> InstructionSet:
        """The least instruction set that has it."""
        return InstructionSet.avx512 if self >= Format.lanes else InstructionSet.plain


@cache
def _library() -> ctypes.CDLL | None:
    """Returns the engine, or None where it wasn't built. torch is loaded before it, and its threads serve both."""
    places = (Path(folder, _LIBRARY) for folder in engine.__path__)  # several, where the package is being worked on
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return None
    library = ctypes.CDLL(os.fspath(found))
    integer, pointer = ctypes.c_int, ctypes.c_void_p
    library.prune_rnn_pack.restype = pointer
    library.prune_rnn_pack.argtypes = [integer] * 3 + [pointer] * 2 + [integer] * 5
    library.prune_rnn_free.argtypes = [pointer]
    library.prune_rnn_describe.argtypes = [pointer] * 2
    library.prune_rnn_product.argtypes = [pointer, integer, pointer, pointer]
    library.prune_rnn_layer.argtypes = [pointer] + [integer] * 4 + [pointer, integer] + [pointer] * 3
    return library


def instruction_sets() -> list[InstructionSet]:
    """Returns what this machine can run, best first; empty where the engine wasn't built."""
    library = _library()
    if library is None:
        return []
    return [each for each in reversed(InstructionSet) if each <= library.prune_rnn_instruction_set()]


def _at(array: Tensor | np.ndarray | None) -> int | None:
    if array is None:
        return None
    return array.data_ptr() if isinstance(array, Tensor) else array.ctypes.data


class Matrix:
    """A sparse matrix that the engine multiplies with.

    weight: (rows, columns). gates: how many products of rows/gates units it holds. streams: the number of vectors at a
    time that the format is chosen for; any number may be multiplied. threads: at most so many; None: as torch has.
    """

    def __init__(
        self,
        weight: Weight,
        *,
        gates: int = 1,
        streams: int = 1,
        threads: int | None = None,
        instruction_set: InstructionSet | None = None,
        format: Format = Format.auto,
    ) -> None:
        library = _library()
        assert library is not None, "ask `instruction_sets` first"
        self.rows, self.columns = weight.values.shape
        self.gates = gates
        if self.columns > MOST_COLUMNS:
            raise ValueError(f"a matrix of {self.columns} columns: the engine takes at most {MOST_COLUMNS}")
        if self.rows % gates:
            raise ValueError(f"a matrix of {self.rows} rows can't hold {gates} gates")
        self.instruction_set = instruction_sets()[0] if instruction_set is None else instruction_set
        if self.instruction_set not in instruction_sets():
            raise ValueError(f"this machine has no {self.instruction_set.name}")
        if format.needs > self.instruction_set:
            raise ValueError(f"format {format.name} needs {format.needs.name}, not {self.instruction_set.name}")
        self.dtype = weight.dtype
        if (weight.scale is None) == (self.dtype is Dtype.int8):
            raise ValueError("int8 weights need the scales of their rows, and other weights have none")
        if weight.scale is not None and weight.scale.shape != (self.rows,):
            raise ValueError(f"scales of shape {tuple(weight.scale.shape)} for {self.rows} rows")
        if weight.values.device.type != "cpu":
            raise ValueError(f"weights on {weight.values.device}: the engine works on the CPU")
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
        described = np.zeros(5, np.int64)
        library.prune_rnn_describe(self._pointer, _at(described))
        self.format = Format(described[0])
        self.threads, self.bytes, self.vectors, self.nonzero = (int(value) for value in described[1:])

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self._library.prune_rnn_free(self._pointer)

    def product(self, x: Tensor) -> Tensor:
        """(streams, columns) -> (streams, rows), float32: x times the transposed matrix."""
        x = checked(x.cpu(), x.dim() == 2 and x.shape[1] == self.columns, f"(streams, {self.columns})")
        y = torch.empty(len(x), self.rows)
        if self._library.prune_rnn_product(self._pointer, len(x), _at(x), _at(y)):
            raise MemoryError("no memory for the product")
        return y

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
        """Runs the recurrent layer whose recurrent matrix this is, and returns (states, last state).

        x: (steps, streams, gates * units), the input contribution. state: (streams, units), zero where None. lengths:
        (streams,), past which a stream's state is zero. reverse: from the last step to the first.
        States are (steps, streams, units); formulas as in `model.recurrence`.
        """
        assert cell.gates == self.gates
        units = self.rows // self.gates
        x = checked(x.cpu(), x.dim() == 3 and x.shape[2] == self.rows, f"(steps, streams, {self.rows})")
        if self.columns != units:
            raise ValueError(f"a matrix of {self.rows} x {self.columns} is no recurrent one of {units} units")
        steps, streams, _ = x.shape
        last = torch.zeros(streams, units)
        if state is not None:
            last.copy_(checked(state, state.shape == last.shape, f"({streams}, {units})"))
        out = torch.empty(steps, streams, units)
        if lengths is not None and lengths.shape != (streams,):
            raise ValueError(f"lengths of shape {tuple(lengths.shape)} for {streams} streams")
        limits = None if lengths is None else lengths.to("cpu", torch.int32).contiguous()
        failed = self._library.prune_rnn_layer(
            self._pointer, int(cell is Cell.gru), int(activation is Activation.tanh), steps, streams, _at(limits),
            int(reverse), _at(x), _at(last), _at(out),
        )  # fmt: skip
        if failed:
            raise MemoryError("no memory for the layer")
        return out, last


def checked(x: Tensor, fits: bool, wanted: str) -> Tensor:
    """Returns x as the engine reads it; ValueError where it does not fit the wanted shape."""
    if not fits:
        raise ValueError(f"an array of shape {tuple(x.shape)} where {wanted} is wanted")
    return x if x.dtype is torch.float32 and x.is_contiguous() else x.float().contiguous()
