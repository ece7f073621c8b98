"""The cells' time loops on a CUDA device: two kernels a time step each way, and 32 steps a launch.

Counted in torch's profiler, torch's operations take 9 kernels a time step of a GRU (5 forward, 4 backward) and 4 of an
RNN, each a launch of some microseconds: 7,400 in a training step of the paper's GRU (3 layers, 275 steps), 15,400 in
one of its RNN (7 layers, both ways). Here a step is cuBLAS's product and one kernel (the RNN's is torch's, the
others' Triton's), and a CUDA graph launches 32 steps: with the copies around the graphs 320 launches for the GRU, 1,500
for the RNN. cuDNN's loops don't serve: none has batch norm on the input product alone, the clipped ReLU and the reset
after the product. One kernel for all steps would need a barrier over the whole device, which Triton lacks.

Graphs need the same addresses each time. So packed frames are laid out in time steps of the whole batch, padded with
zeros to a multiple of 32 steps, and go through buffers. Padding changes no true frame: before an utterance (in
reverse) a zero state stays zero, and nobody reads what follows its end.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from prune_rnn.cuda import Replayed, triton
from prune_rnn.model.cell import Cell
from prune_rnn.model.cuda_kernels import gru_backward, gru_forward, lstm_backward, lstm_forward
from prune_rnn.model.recurrence import CLIP, Activation

CHUNK = 32  # time steps of a graph
_BLOCK = 256  # units of a program


def serves(cell: Cell, x: Tensor, weight: Tensor) -> bool:
    """Whether these loops compute the layer: on a CUDA device, float32 or float64.

    Warns where only triton is missing.
    """
    known = x.is_cuda and x.dtype == weight.dtype and x.dtype in (torch.float32, torch.float64)
    if known and cell.gates > 1 and triton is None:
        name = cell.name.upper()
        warnings.warn(f"the {name}'s time loop takes torch's operations, for want of triton; install it", stacklevel=2)
        return False
    return known


def layer(cell: Cell, x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool) -> Tensor:
    """Returns what `states` does, for a layer that these loops serve."""
    hidden: Tensor = _Layer.apply(cell, x, weight, batch_sizes, activation, reverse)  # type: ignore[no-untyped-call]
    return hidden


class Loop(ABC):
    """The buffers of CHUNK time steps, and the graphs over them. Serves one CUDA stream at a time.

    x: (CHUNK, batch, gates * units). states, grad: (CHUNK + 1, batch, units); step k leads from [k] to [k + 1].
    kept: (CHUNK, batch, kept_units * units), what backward needs of each step. parts: (CHUNK, batch, part_units *
    units), the gradients that backward gives. memory: (batch, (vectors - 1) * units), what else a state holds or,
    backward, its gradient; zero before the first step.
    """

    kept_units: int
    part_units: int

    def __init__(
        self, cell: Cell, units: int, batch: int, activation: Activation, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.gates, self.units, self.batch, self.activation = cell.gates, units, batch, activation
        self._grid = -(-units // _BLOCK), batch
        new = partial(torch.zeros, dtype=dtype, device=device)
        with torch.inference_mode(False):
            self.x = new(CHUNK, batch, self.gates * units)
            self.states, self.grad = (new(CHUNK + 1, batch, units) for _ in range(2))
            self.kept, self.parts = (new(CHUNK, batch, n * units) for n in (self.kept_units, self.part_units))
            self.weight, self.memory = new(self.gates * units, units), new(batch, (cell.vectors - 1) * units)
            self.product = new(batch, self.gates * units)  # of a step: U h

    @abstractmethod
    def forward_step(self, k: int) -> None:
        """Computes states[k + 1] and what is kept from x[k] and states[k]."""

    @abstractmethod
    def backward_step(self, k: int) -> None:
        """Computes parts[k] from grad[k + 1], and adds to grad[k]."""

    @cached_property
    def _forward(self) -> Replayed:
        return Replayed(partial(_each, self.forward_step, range(CHUNK)), self.x.device)

    @cached_property
    def _backward(self) -> Replayed:
        return Replayed(partial(_each, self.backward_step, range(CHUNK)[::-1]), self.x.device)

    def forward(self, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """(steps, batch, gates * units) -> the states before each step and the last, and what is kept of each step."""
        run, steps = self._forward, len(x)  # captured before the buffers are filled
        states, kept = x.new_zeros(steps + 1, *self.states.shape[1:]), x.new_empty(steps, *self.kept.shape[1:])
        self.weight.copy_(weight)
        self.memory.zero_()
        self.states[0] = 0
        for first in range(0, steps, CHUNK):
            part = slice(first, first + CHUNK)
            self.x.copy_(x[part])
            run()
            kept[part] = self.kept
            states[first + 1 : first + CHUNK + 1] = self.states[1:]
            self.states[0] = self.states[CHUNK]
        return states, kept

    def backward(self, grad: Tensor, weight: Tensor, states: Tensor, kept: Tensor) -> Tensor:
        """Returns the parts of all steps. grad: (steps, batch, units), of the states after each step."""
        run, steps = self._backward, len(grad)
        parts = grad.new_empty(steps, *self.parts.shape[1:])
        self.weight.copy_(weight)
        self.memory.zero_()
        self.grad[0] = 0
        for first in reversed(range(0, steps, CHUNK)):
            part = slice(first, first + CHUNK)
            self.grad[1:] = grad[part]
            self.grad[CHUNK] += self.grad[0]  # from the chunk after
            self.grad[0] = 0
            self.states[:CHUNK] = states[part]
            self.kept.copy_(kept[part])
            run()
            parts[part] = self.parts
        return parts


def _each(step: Callable[[int], None], numbers: range) -> None:
    for k in numbers:
        step(k)


class RnnLoop(Loop):
    """Kept: the slope, which `_Layer` fills in. Parts: of the pre-activation."""

    kept_units, part_units = 1, 1

    def forward_step(self, k: int) -> None:
        torch.addmm(self.x[k], self.states[k], self.weight.t(), out=self.states[k + 1])
        self.activation.apply_(self.states[k + 1])

    def backward_step(self, k: int) -> None:
        torch.mul(self.grad[k + 1], self.kept[k], out=self.parts[k])
        self.grad[k].addmm_(self.parts[k], self.weight)


class GruLoop(Loop):
    """Kept: z, r, U_c h, candidate. Parts: of the candidate's, z's and r's pre-activation, and of U_c h."""

    kept_units, part_units = 4, 4

    @cached_property
    def _options(self) -> dict[str, Any]:
        return {"LIMIT": None if self.activation is Activation.tanh else CLIP, "UNITS": _BLOCK}

    def forward_step(self, k: int) -> None:
        torch.mm(self.states[k], self.weight.t(), out=self.product)
        gru_forward[self._grid](
            self.x[k], self.product, self.states[k], self.kept[k], self.states[k + 1], self.units, **self._options
        )

    def backward_step(self, k: int) -> None:
        gru_backward[self._grid](
            self.grad[k + 1], self.kept[k], self.states[k], self.parts[k], self.grad[k], self.units, **self._options
        )
        self.grad[k].addmm_(self.parts[k][:, self.units :], self.weight)


class LstmLoop(Loop):
    """Kept: i, f, g, o and the memory before. Parts: of the pre-activations."""

    kept_units, part_units = 5, 4

    def forward_step(self, k: int) -> None:
        torch.mm(self.states[k], self.weight.t(), out=self.product)
        lstm_forward[self._grid](
            self.x[k], self.product, self.memory, self.kept[k], self.states[k + 1], self.units, UNITS=_BLOCK
        )

    def backward_step(self, k: int) -> None:
        lstm_backward[self._grid](self.grad[k + 1], self.kept[k], self.memory, self.parts[k], self.units, UNITS=_BLOCK)
        self.grad[k].addmm_(self.parts[k], self.weight)


LOOPS: tuple[type[Loop], ...] = (RnnLoop, GruLoop, LstmLoop)  # by the cell's number


@lru_cache(maxsize=8)  # layers of a network are alike, and batches but the last
def _loop(cell: Cell, units: int, batch: int, act: Activation, dtype: torch.dtype, device: torch.device) -> Loop:
    return LOOPS[cell.kind](cell, units, batch, act, dtype, device)


def slots(sizes: Tensor, reverse: bool) -> tuple[Tensor, int]:
    """Returns each packed frame's row in a layout of (steps, batch), and the number of steps, a multiple of CHUNK.

    The steps are in the order of computation.

    >>> slots(torch.tensor([2, 1]), reverse=False), slots(torch.tensor([2, 1]), reverse=True)
    ((tensor([0, 1, 2]), 32), (tensor([2, 3, 0]), 32))
    """
    steps, batch = len(sizes), int(sizes[0])
    order = torch.arange(steps)
    step = torch.repeat_interleave(order.flip(0) if reverse else order, sizes)
    first = torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
    return step * batch + torch.arange(len(first)) - first, -(-steps // CHUNK) * CHUNK


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cell: Cell, x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool
    ) -> Tensor:
        loop = _loop(cell, weight.shape[1], batch := int(batch_sizes[0]), activation, x.dtype, x.device)
        at, steps = slots(batch_sizes, reverse)
        at = at.to(x.device)
        with torch.cuda.device_of(x):
            states, kept = loop.forward(_laid_out(x, at, steps, batch), weight)
        if loop.gates == 1:
            kept = activation.slope(states[1:])
        ctx.save_for_backward(weight, at, states, kept)
        ctx.cell, ctx.loop = cell, loop
        return states[1:].flatten(0, 1).index_select(0, at)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        weight, at, states, kept = ctx.saved_tensors
        loop: Loop = ctx.loop
        with torch.cuda.device_of(grad_hidden):
            laid_out = _laid_out(grad_hidden, at, len(kept), loop.batch)
            parts = loop.backward(laid_out, weight, states, kept).flatten(0, 1).index_select(0, at)
        before, n = states[:-1].flatten(0, 1).index_select(0, at), loop.units
        if not ctx.cell.resets:
            return None, parts, parts.t() @ before, None, None, None
        # x receives z, r, candidate; the recurrent product z, r, U_c h
        return None, torch.cat([parts[:, n : 3 * n], parts[:, :n]], dim=1), parts[:, n:].t() @ before, None, None, None


def _laid_out(frames: Tensor, at: Tensor, steps: int, batch: int) -> Tensor:
    """Returns packed frames as (steps, batch, values), zero where there is none."""
    return frames.new_zeros(steps * batch, frames.shape[1]).index_copy_(0, at, frames).view(steps, batch, -1)
