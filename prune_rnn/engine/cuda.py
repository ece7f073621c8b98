"""Sparse recurrent layers on a CUDA device: one kernel is a whole time step, and a graph launches many steps at once.

A program of the kernel owns a few units with all their gates: it multiplies their rows with the state before, applies
the gates and writes its part of the state after. The matrix lies in blocks of units; the entries of a block's rows,
gate by gate, are cut into tiles of so many entries of each row, padded with zeros to the block's longest row, and each
tile is contiguous: 16-bit column numbers and values of the weight's type, read coalesced.

Weights are held in their type; vectors are float32 and, unlike on the CPU, not rounded to the weights' type, but where
the dense product is chosen, which rounds vectors and sums to its own type. Needs triton; importing this module doesn't.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from prune_rnn.engine.native import MOST_COLUMNS, checked
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.model.deepspeech2 import Cell
from prune_rnn.model.recurrence import CLIP, Activation

if TYPE_CHECKING:
    pass

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

Block = tuple[int, int, int]  # units of a program, entries of each row that it reads at a time, warps
BLOCKS: tuple[Block, ...] = ((4, 64, 4), (2, 128, 4), (4, 128, 4), (1, 256, 4), (8, 64, 4), (8, 128, 8))
CHUNKS = (32, 16, 8, 4, 2, 1)  # steps of a graph: a sequence is cut into these, largest first
# of the dense product that a matrix is compared with, and that serves where it is faster
_DENSE = {Dtype.float32: torch.float32, Dtype.bfloat16: torch.bfloat16, Dtype.int8: torch.float16}


def _kernel(function: Callable[..., Any]) -> Any:
    return function if triton is None else triton.jit(function)


@_kernel
def _activated(x, LIMIT: tl.constexpr):  # type: ignore[no-untyped-def]
    """f(x): the ReLU clipped at LIMIT, tanh where that is None. NaN stays NaN."""
    return 2 * tl.sigmoid(2 * x) - 1 if LIMIT is None else tl.clamp(x, 0.0, LIMIT, propagate_nan=tl.PropagateNan.ALL)


@_kernel
def _of_gates(first, units, inside, GATES: tl.constexpr):  # type: ignore[no-untyped-def]
    """What lies at `first` and, of a GRU, one and two gates of units behind it, in float32."""
    a = tl.load(first, mask=inside, other=0.0).to(tl.float32)
    b, c = a, a
    if GATES == 3:
        b = tl.load(first + units, mask=inside, other=0.0).to(tl.float32)
        c = tl.load(first + 2 * units, mask=inside, other=0.0).to(tl.float32)
    return a, b, c


@_kernel
def _next(x, old, a, b, c, unit, units, GATES: tl.constexpr, LIMIT: tl.constexpr):  # type: ignore[no-untyped-def]
    """The state after `old` where U h is a (RNN), or a, b and c (GRU)."""
    x_a, x_b, x_c = _of_gates(x + unit, units, unit < units, GATES)
    if GATES == 1:
        new = _activated(x_a + a, LIMIT)
    else:  # no early return: triton compiles what follows one
        candidate = _activated(x_c + tl.sigmoid(x_b + b) * c, LIMIT)
        new = old + tl.sigmoid(x_a + a) * (candidate - old)
    return new


@_kernel
def _tile(columns, values, vector, tile, end, spot, SIZE: tl.constexpr):  # type: ignore[no-untyped-def]
    """The products of one tile's entries with the vector; zeros from tile `end` on."""
    at = tile.to(tl.int64) * SIZE + spot
    column = tl.load(columns + at, mask=tile < end, other=0).to(tl.int32) & 0xFFFF  # stored as signed
    value = tl.load(values + at, mask=tile < end, other=0).to(tl.float32)
    return value * tl.load(vector + column)


@_kernel
def _sparse_step(  # type: ignore[no-untyped-def]
    columns, values, scale, starts, x, before, after, alive, width, units, CELL: tl.constexpr, GATES: tl.constexpr,
    SCALED: tl.constexpr, LIMIT: tl.constexpr, UNITS: tl.constexpr, ENTRIES: tl.constexpr,
):  # fmt: skip
    """after = the state after `before` (CELL), or just the product. Grid: (blocks of units, streams)."""
    block, stream = tl.program_id(0), tl.program_id(1)
    SIZE: tl.constexpr = UNITS * ENTRIES
    spot = tl.arange(0, UNITS)[:, None] * ENTRIES + tl.arange(0, ENTRIES)[None, :]
    before += stream * width
    starts += block * GATES
    tile_a, end_a = tl.load(starts), tl.load(starts + 1)
    longest = end_a - tile_a
    sum_a = tl.zeros((UNITS, ENTRIES), tl.float32)
    sum_b, sum_c = sum_a, sum_a
    tile_b, end_b, tile_c, end_c = tile_a, end_a, tile_a, end_a
    if GATES == 3:
        tile_b, end_b, tile_c, end_c = end_a, tl.load(starts + 2), tl.load(starts + 2), tl.load(starts + 3)
        longest = tl.maximum(longest, tl.maximum(end_b - tile_b, end_c - tile_c))
    i = longest * 0
    while i < longest:  # not `range`: triton's interpreter can't count in tensors under numpy 2.4
        sum_a += _tile(columns, values, before, tile_a + i, end_a, spot, SIZE)
        if GATES == 3:
            sum_b += _tile(columns, values, before, tile_b + i, end_b, spot, SIZE)
            sum_c += _tile(columns, values, before, tile_c + i, end_c, spot, SIZE)
        i += 1
    a, b, c = tl.sum(sum_a, axis=1), tl.sum(sum_b, axis=1), tl.sum(sum_c, axis=1)
    unit = block * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    if SCALED:
        scale_a, scale_b, scale_c = _of_gates(scale + unit, units, inside, GATES)
        a, b, c = a * scale_a, b * scale_b, c * scale_c
    if CELL:
        old = tl.load(before + unit, mask=inside, other=0.0)
        new = _next(x + stream * GATES * units, old, a, b, c, unit, units, GATES, LIMIT)
        tl.store(after + stream * units + unit, tl.where(tl.load(alive + stream) != 0, new, 0.0), mask=inside)
    else:
        after += stream * GATES * units + unit
        tl.store(after, a, mask=inside)
        if GATES == 3:
            tl.store(after + units, b, mask=inside)
            tl.store(after + 2 * units, c, mask=inside)


@_kernel
def _dense_step(  # type: ignore[no-untyped-def]
    product, x, before, after, rounded, alive, units, GATES: tl.constexpr, LIMIT: tl.constexpr, UNITS: tl.constexpr
):  # fmt: skip
    """after = the state after `before` where U h is `product`; rounded = the same in its own type."""
    stream = tl.program_id(1)
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < units
    a, b, c = _of_gates(product + stream * GATES * units + unit, units, inside, GATES)
    old = tl.load(before + stream * units + unit, mask=inside, other=0.0)
    new = _next(x + stream * GATES * units, old, a, b, c, unit, units, GATES, LIMIT)
    new = tl.where(tl.load(alive + stream) != 0, new, 0.0)
    tl.store(after + stream * units + unit, new, mask=inside)
    tl.store(rounded + stream * units + unit, new.to(rounded.dtype.element_ty), mask=inside)


def _device(device: torch.device | str) -> torch.device:
    """Returns where the kernels are to run; ValueError where they can't."""
    device = torch.device(device)
    if triton is None:
        raise ValueError("the CUDA kernels need triton: pip install triton, or use `matrix.fastest` on the CPU")
    if device.type == "cpu":
        if not triton.knobs.runtime.interpret:
            raise ValueError("on the CPU these kernels run only under TRITON_INTERPRET=1; use `matrix.fastest` there")
    elif device.type != "cuda" or not torch.cuda.is_available():
        raise ValueError(f"no CUDA device at {device}: use `matrix.fastest` on the CPU")
    return device


class _Steps:
    """A layer's buffers on the device and, there, its graphs: `steps(x, ...)` runs a whole sequence.

    step(k): reads x[k], states[k] and alive[k] and writes states[k + 1], always at the same addresses.
    """

    def __init__(self, step: Callable[[_Steps, int], None], streams: int, gates: int, units: int, device: torch.device):
        new = partial(torch.zeros, device=device)
        self.x, self.states = new(CHUNKS[0], streams, gates * units), new(CHUNKS[0] + 1, streams, units)
        self.alive = new(CHUNKS[0], streams, dtype=torch.int32)
        self._step, self._graphs = step, dict[int, torch.cuda.CUDAGraph]()

    def _chunk(self, steps: int) -> None:
        for k in range(steps):
            self._step(self, k)

    def replay(self, steps: int) -> None:
        """Computes states[1] to states[steps] from states[0]; steps is one of CHUNKS."""
        if self.x.device.type != "cuda":
            return self._chunk(steps)
        if steps not in self._graphs:
            # nothing may be compiled or set up during the capture: triton compiles anew where addresses align otherwise
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._chunk(steps)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._chunk(steps)
            self._graphs[steps] = graph
        self._graphs[steps].replay()

    def __call__(self, x: Tensor, state: Tensor | None, lengths: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
        steps, streams, _ = x.shape
        out = self.states.new_empty(steps, *self.states.shape[1:])
        limits = torch.full((streams,), steps, device=x.device) if lengths is None else lengths.to(x.device)
        alive = torch.arange(steps, device=x.device)[:, None] < limits
        if reverse:
            x, alive = x.flip(0), alive.flip(0)
        self.states[0] = 0.0 if state is None else state
        done = 0
        for size in CHUNKS:
            while steps - done >= size:
                part = slice(done, done + size)
                self.x[:size], self.alive[:size] = x[part], alive[part]
                self.replay(size)
                out[part] = self.states[1 : size + 1]
                self.states[0] = self.states[size]
                done += size
        return (out.flip(0) if reverse else out), self.states[0].clone()


class _OnDevice:
    """What the sparse and the dense matrix share: `layer`. A matrix serves one CUDA stream and thread at a time."""

    def _prepare(self, weight: Weight, gates: int, device: torch.device | str) -> None:
        (self.rows, self.columns), self.gates, self.device = weight.values.shape, gates, _device(device)
        self._layers: dict[tuple[Activation, int], _Steps] = {}
        if gates not in {cell.gates for cell in Cell} or self.rows % gates:
            raise ValueError(f"a matrix of {self.rows} rows can't hold {gates} gates of an RNN or a GRU")

    @property
    def units(self) -> int:
        """Rows of each gate."""
        return self.rows // self.gates

    def _to_device(self, x: Tensor, *shape: int | None) -> Tensor:
        """Returns x there, float32; ValueError where its shape is another one (None: any)."""
        fits = x.dim() == len(shape) and all(want in (None, have) for have, want in zip(x.shape, shape, strict=True))
        return checked(x.to(self.device), fits, f"{shape} (None: any)")

    def _new_steps(self, activation: Activation, streams: int) -> _Steps:
        raise NotImplementedError

    @torch.no_grad()
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
        """Returns (states, last state) on the device: as `engine.Matrix.layer` does, from tensors of any device.

        The first sequence of each activation and number of streams compiles the kernel and captures the graphs.
        """
        assert cell.gates == self.gates
        if self.units != self.columns:
            raise ValueError(f"a matrix of {self.columns} columns and {self.units} units a gate is no recurrent one")
        x = self._to_device(x, None, None, self.rows)
        state = None if state is None else self._to_device(state, x.shape[1], self.units)
        key = activation, x.shape[1]
        with torch.cuda.device_of(x):
            if key not in self._layers:
                self._layers[key] = self._new_steps(*key)
            return self._layers[key](x, state, lengths, reverse)


class CublasMatrix(_OnDevice):
    """A dense matrix on the device, multiplied by cuBLAS; its layer fuses the gates and runs as graphs too.

    dtype: float32, float16 or bfloat16, of the weights, the vectors and the sums; the state is carried in float32.
    """

    def __init__(
        self, weight: Weight, *, gates: int = 1, dtype: torch.dtype = torch.float32, device: torch.device | str = "cuda"
    ) -> None:
        self._prepare(weight, gates, device)
        self.dtype = dtype
        self._transposed = weight.float().detach().to(self.device, dtype).t()

    @torch.no_grad()
    def product(self, x: Tensor) -> Tensor:
        """(streams, columns) -> (streams, rows), float32 on the device: x times the transposed matrix."""
        return torch.mm(self._to_device(x, None, self.columns).to(self.dtype), self._transposed).float()

    def _new_steps(self, activation: Activation, streams: int) -> _Steps:
        product = torch.empty(streams, self.rows, device=self.device, dtype=self.dtype)
        rounded = torch.empty(CHUNKS[0] + 1, streams, self.units, device=self.device, dtype=self.dtype)
        limit = None if activation is Activation.tanh else CLIP
        block = 256

        def step(buffers: _Steps, k: int) -> None:
            if k == 0:
                rounded[0].copy_(buffers.states[0])
            torch.mm(rounded[k], self._transposed, out=product)
            _dense_step[(triton.cdiv(self.units, block), streams)](
                product, buffers.x[k], buffers.states[k], buffers.states[k + 1], rounded[k + 1], buffers.alive[k],
                self.units, GATES=self.gates, LIMIT=limit, UNITS=block,
            )  # fmt: skip

        return _Steps(step, streams, self.gates, self.units, self.device)


class CudaMatrix(_OnDevice):
    """A sparse matrix on a CUDA device, with `engine.Matrix`'s interface; never slower than cuBLAS by choice.

    weight: (rows, columns). gates: 1 or 3. streams: the number of vectors at a time that the choice is made for; any
    number may be multiplied. block: one of BLOCKS or alike (powers of two); None: on a CUDA device all of BLOCKS and
    the dense product are timed once, which takes seconds, and the fastest serves.
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
        self._prepare(weight, gates, device)
        if self.columns > MOST_COLUMNS:
            raise ValueError(f"a matrix of {self.columns} columns: the kernels take at most {MOST_COLUMNS}")
        self.dtype = weight.dtype
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
        keep = rows != 0
        counts = keep.sum(1)  # of each row; the rows of a block's gate lie side by side
        tiles = (counts.view(-1, units).amax(1) + entries - 1) // entries
        starts = torch.cat([tiles.new_zeros(1), tiles.cumsum(0)])
        row, column = keep.nonzero(as_tuple=True)
        place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
        tile = starts[row // units] + place // entries
        at = (tile * units + row % units) * entries + place % entries
        size = max(int(starts[-1]), 1) * units * entries
        self._starts = starts.to(torch.int32)
        self._values = values.new_zeros(size)
        self._values[at] = rows[row, column]
        self._columns = torch.zeros(size, dtype=torch.int16, device=row.device)
        self._columns[at] = column.to(torch.int16)  # from 32768 on the bits of the unsigned number
        self.bytes = sum(each.nbytes for each in (self._starts, self._values, self._columns))

    def _launch(self, x: Tensor, before: Tensor, after: Tensor, alive: Tensor, cell: bool, limit: float | None) -> None:
        units, entries, warps = self._block
        _sparse_step[(-(-self.units // units), len(before))](
            self._columns, self._values, self._starts if self._scale is None else self._scale, self._starts, x, before,
            after, alive, self.columns, self.units, CELL=cell, GATES=self.gates, SCALED=self._scale is not None,
            LIMIT=limit, UNITS=units, ENTRIES=entries, num_warps=warps,
        )  # fmt: skip

    @torch.no_grad()
    def product(self, x: Tensor) -> Tensor:
        """(streams, columns) -> (streams, rows), float32 on the device: x, finite, times the transposed matrix."""
        if self.dense is not None:
            return self.dense.product(x)
        x = self._to_device(x, None, self.columns)
        y = x.new_empty(len(x), self.rows)
        with torch.cuda.device_of(x):
            self._launch(x, x, y, self._starts, cell=False, limit=None)
        return y

    def _new_steps(self, activation: Activation, streams: int) -> _Steps:
        if self.dense is not None:
            return self.dense._new_steps(activation, streams)
        limit = None if activation is Activation.tanh else CLIP

        def step(buffers: _Steps, k: int) -> None:
            before, after = buffers.states[k], buffers.states[k + 1]
            self._launch(buffers.x[k], before, after, buffers.alive[k], cell=True, limit=limit)

        return _Steps(step, streams, self.gates, self.units, self.device)


def _microseconds(matrix: CublasMatrix | CudaMatrix, streams: int) -> float:
    """Returns how long 32 steps of its layer take on the device, or a product where it is not recurrent."""
    with torch.cuda.device(matrix.device):
        run: Callable[[], object] = partial(matrix.product, torch.ones(streams, matrix.columns, device=matrix.device))
        if matrix.units == matrix.columns:
            run = partial(matrix._new_steps(Activation.clipped_relu, streams).replay, CHUNKS[0])
        for _ in range(3):
            run()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(10):
            run()
        end.record()
        end.synchronize()
        return 100 * float(begin.elapsed_time(end))  # from milliseconds of ten
