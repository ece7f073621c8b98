"""Sparse recurrent layers on a CUDA device: one kernel is a whole time step, and a graph launches many steps at once.

A program of the kernel owns a few units with all their gates: it multiplies their rows with the state before, applies
the gates and writes its part of the state after. The matrix lies in blocks of units; the entries of a block's rows,
gate by gate, are cut into tiles of so many entries of each row, padded with zeros to the block's longest row, and each
tile is contiguous: 16-bit column numbers and values of the weight's type, read coalesced.

Weights are held in their type; vectors are float32 and, unlike on the CPU, not rounded to the weights' type, but where
the dense product is chosen, which rounds vectors and sums to its own type. Needs triton; importing this module doesn't.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from prune_rnn.cuda import device_for
from prune_rnn.engine.base import Backend
from prune_rnn.engine.compiled import MOST_COLUMNS
from prune_rnn.engine.cuda_graphs import CHUNKS, Graphs
from prune_rnn.engine.cuda_kernels import dense_step, sparse_step
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import CLIP, Activation

Block = tuple[int, int, int]  # units of a program, entries of each row that it reads at a time, warps
BLOCKS: tuple[Block, ...] = ((4, 64, 4), (2, 128, 4), (4, 128, 4), (1, 256, 4), (8, 64, 4), (8, 128, 8))
MOST_GATES = 4  # that the kernels take
# of the dense product that a matrix is compared with, and that serves where it is faster
_DENSE = {Dtype.float32: torch.float32, Dtype.bfloat16: torch.bfloat16, Dtype.int8: torch.float16}


class _OnDevice(Backend):
    """The layer of the sparse and the dense matrix. A matrix serves one CUDA stream and thread at a time.

    The first sequence of each activation and number of streams compiles the kernel and captures the graphs.
    """

    def __init__(self, weight: Weight, gates: int, device: torch.device | str) -> None:
        super().__init__(weight, gates=gates, device=device_for(device))
        self._layers: dict[tuple[Cell, Activation, int], Graphs] = {}
        if gates > MOST_GATES:
            raise ValueError(f"a matrix of {gates} gates: the kernels take at most {MOST_GATES}")

    @abstractmethod
    def graphs(self, cell: Cell, activation: Activation, streams: int) -> Graphs:
        """Returns the layer's buffers for so many streams, and the step on them."""

    @torch.no_grad()
    def _layer(
        self, cell: Cell, activation: Activation, x: Tensor, state: Tensor | None, reverse: bool
    ) -> tuple[Tensor, Tensor]:
        key = cell, activation, x.shape[1]
        with torch.cuda.device_of(x):
            if key not in self._layers:
                self._layers[key] = self.graphs(*key)
            return self._layers[key](x, state, reverse)


class CublasMatrix(_OnDevice):
    """A dense matrix on the device, multiplied by cuBLAS; its layer fuses the gates and runs as graphs too.

    dtype: float32, float16 or bfloat16, of the weights, the vectors and the sums; the state is carried in float32.
    """

    def __init__(
        self, weight: Weight, *, gates: int = 1, dtype: torch.dtype = torch.float32, device: torch.device | str = "cuda"
    ) -> None:
        super().__init__(weight, gates, device)
        self._type = dtype
        self._transposed = weight.float().detach().to(self.device, dtype).t()

    @torch.no_grad()
    def _product(self, x: Tensor) -> Tensor:
        return torch.mm(x.to(self._type), self._transposed).float()

    def graphs(self, cell: Cell, activation: Activation, streams: int) -> Graphs:
        product = torch.empty(streams, self.rows, device=self.device, dtype=self._type)
        rounded = torch.empty(CHUNKS[0] + 1, streams, self.units, device=self.device, dtype=self._type)
        limit = None if activation is Activation.tanh else CLIP
        block = 256

        def step(buffers: Graphs, k: int) -> None:
            if k == 0:
                rounded[0].copy_(buffers.states[0])
            torch.mm(rounded[k], self._transposed, out=product)
            dense_step[(-(-self.units // block), streams)](
                product, buffers.x[k], buffers.states[k], buffers.memory, buffers.states[k + 1], rounded[k + 1],
                self.units, CELL=cell.kind, GATES=self.gates, LIMIT=limit, UNITS=block,
            )  # fmt: skip

        return Graphs(step, streams, cell, self.units, self.device)


class CudaMatrix(_OnDevice):
    """A sparse matrix on a CUDA device, of finite vectors; never slower than cuBLAS by choice.

    gates: up to MOST_GATES. streams: the number of vectors at a time that the choice is made for; any number may be
    multiplied. block: one of BLOCKS or alike (powers of two); None: on a CUDA device all of BLOCKS and the dense
    product are timed once, which takes seconds, and the fastest serves.
    tuned: microseconds of what was timed (32 steps of a layer where the matrix is recurrent, else a product), by block
    or "dense"; empty where the block was given. dense: the dense matrix that serves instead, or None.
    """

    def __init__(
        self,
        weight: Weight,
        *,
        gates: int = 1,
        streams: int = 1,
        device: torch.device | str = "cuda",
        block: Block | None = None,
    ) -> None:
        super().__init__(weight, gates, device)
        if self.columns > MOST_COLUMNS:
            raise ValueError(f"a matrix of {self.columns} columns: the kernels take at most {MOST_COLUMNS}")
        self.nonzero = int(weight.values.count_nonzero())
        self.dense: CublasMatrix | None = None
        self.tuned: dict[Block | str, float] = {}
        values = weight.values.detach().to(self.device)
        self._scale = None if weight.scale is None else weight.scale.to(self.device, torch.float32)
        if block is None and self.device.type == "cuda":
            for each in BLOCKS:
                self._pack(values, each)
                self.tuned[each] = _microseconds(self, streams)
            dense = CublasMatrix(weight, gates=gates, dtype=_DENSE[self.dtype], device=self.device)
            self.tuned["dense"] = _microseconds(dense, streams)
            block = min(BLOCKS, key=self.tuned.__getitem__)
            if self.tuned["dense"] < self.tuned[block]:
                self.dense = dense
        self._pack(values, BLOCKS[0] if block is None else block)

    def _pack(self, values: Tensor, block: Block) -> None:
        """Cuts the matrix into tiles of `block`, on its device."""
        units, entries, _ = self._block = block
        self._layers.clear()
        blocks = -(-self.units // units)
        padded = values.new_zeros(self.gates, blocks * units, self.columns)
        padded[:, : self.units] = values.view(self.gates, self.units, self.columns)
        rows = padded.view(self.gates, blocks, units, self.columns).transpose(0, 1).reshape(-1, self.columns)
        stored = rows != 0
        counts = stored.sum(1)  # of each row; the rows of a block's gate lie side by side
        tiles = (counts.view(-1, units).amax(1) + entries - 1) // entries
        starts = torch.cat([tiles.new_zeros(1), tiles.cumsum(0)])
        row, column = stored.nonzero(as_tuple=True)
        rank = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
        tile = starts[row // units] + rank // entries
        at = (tile * units + row % units) * entries + rank % entries
        size = max(int(starts[-1]), 1) * units * entries
        self._starts = starts.to(torch.int32)
        self._values = values.new_zeros(size)
        self._values[at] = rows[row, column]
        self._columns = torch.zeros(size, dtype=torch.int16, device=row.device)
        self._columns[at] = column.to(torch.int16)  # from 32768 on the bits of the unsigned number
        self.bytes = sum(each.nbytes for each in (self._starts, self._values, self._columns))

    def _launch(
        self, x: Tensor, before: Tensor, memory: Tensor, after: Tensor, cell: Cell | None, limit: float | None
    ) -> None:
        units, entries, warps = self._block
        sparse_step[(-(-self.units // units), len(before))](
            self._columns, self._values, self._starts if self._scale is None else self._scale, self._starts, x, before,
            memory, after, self.columns, self.units, CELL=None if cell is None else cell.kind, GATES=self.gates,
            SCALED=self._scale is not None, LIMIT=limit, UNITS=units, ENTRIES=entries, num_warps=warps,
        )  # fmt: skip

    @torch.no_grad()
    def _product(self, x: Tensor) -> Tensor:
        if self.dense is not None:
            return self.dense.product(x)
        y = x.new_empty(len(x), self.rows)
        with torch.cuda.device_of(x):
            self._launch(x, x, x, y, cell=None, limit=None)
        return y

    def graphs(self, cell: Cell, activation: Activation, streams: int) -> Graphs:
        if self.dense is not None:
            return self.dense.graphs(cell, activation, streams)
        limit = None if activation is Activation.tanh else CLIP

        def step(buffers: Graphs, k: int) -> None:
            before, after = buffers.states[k], buffers.states[k + 1]
            self._launch(buffers.x[k], before, buffers.memory, after, cell, limit)

        return Graphs(step, streams, cell, self.units, self.device)


def _microseconds(matrix: CublasMatrix | CudaMatrix, streams: int) -> float:
    """Returns how long 32 steps of its layer take on the device, or a product where it is not recurrent."""
    cell = next((each.value for each in Cells if each.value.gates == matrix.gates), None)
    with torch.cuda.device(matrix.device):
        run: Callable[[], object] = partial(matrix.product, torch.ones(streams, matrix.columns, device=matrix.device))
        if cell is not None and matrix.units == matrix.columns:
            run = partial(matrix.graphs(cell, Activation.clipped_relu, streams).replay, CHUNKS[0])
        for _ in range(3):
            run()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(10):
            run()
        end.record()
        end.synchronize()
        return 100 * float(begin.elapsed_time(end))  # from milliseconds of ten
