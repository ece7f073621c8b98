"""The cells' time loops as a C++ library: all steps, forward or backward, are one call.

Where it wasn't built (no compiler at installation), torch's operations do the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation
from prune_rnn.native.library import InstructionSet, built, chosen


def serves(cell: Cell, x: Tensor, weight: Tensor) -> bool:
    """Whether the library computes the layer: float32 on the CPU, shapes that belong together."""
    tensors = x, weight
    return (
        chosen() is not None
        and all(each.dtype is torch.float32 and each.device.type == "cpu" and each.dim() == 2 for each in tensors)
        and x.shape[1] == weight.shape[0]
        and weight.shape[1] > 0
        and weight.shape[0] == cell.gates * weight.shape[1]
    )


def layer(cell: Cell, x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool) -> Tensor:
    """Returns what `states` does, for a layer that it `serves`. ValueError where batch_sizes don't fit the frames."""
    hidden: Tensor = _Layer.apply(cell, x, weight, batch_sizes, activation, reverse)  # type: ignore[no-untyped-call]
    return hidden


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cell: Cell, x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool
    ) -> Tensor:
        x, weight, sizes = x.contiguous(), weight.contiguous(), batch_sizes.to("cpu", torch.int64).contiguous()
        (frames, wide), units = x.shape, weight.shape[1]
        hidden = x.new_empty(frames, units)
        kept = (x.new_empty(frames, wide), torch.empty_like(hidden)) if cell.gates > 1 else ()  # gates, inner
        ctx.options = cell, activation, reverse, chosen()
        _call("forward", weight, sizes, ctx.options, frames, x, *(kept or (None, None)), hidden)
        ctx.save_for_backward(weight, sizes, hidden, *kept)
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        weight, sizes, hidden, *kept = ctx.saved_tensors
        (frames, units), wide = hidden.shape, len(weight)
        grad_x, states = hidden.new_empty(frames, wide), torch.empty_like(hidden)
        cell: Cell = ctx.options[0]
        grad_uh = torch.empty_like(hidden) if cell.resets else None  # of U_c h; that of U_z h, for one, is that of x_z
        arrays = *(kept or (None, None)), hidden, grad_hidden.contiguous(), grad_x, grad_uh, states
        _call("backward", weight, sizes, ctx.options, frames, *arrays)
        if grad_uh is None:
            return None, grad_x, grad_x.t() @ states, None, None, None
        grad_weight, last = torch.empty_like(weight), wide - units
        torch.mm(grad_x[:, :last].t(), states, out=grad_weight[:last])
        torch.mm(grad_uh.t(), states, out=grad_weight[last:])
        return None, grad_x, grad_weight, None, None, None


def _call(
    direction: str,
    weight: Tensor,
    sizes: Tensor,
    options: tuple[Cell, Activation, bool, InstructionSet],
    frames: int,
    *arrays: Tensor | None,
) -> None:
    """Runs the loop. The arrays are the arguments of the C function, contiguous float32; it writes some of them."""
    cell, activation, reverse, instruction_set = options
    tanh = activation is Activation.tanh
    units = weight.shape[1]
    failed = getattr(built(), f"prune_rnn_loop_{direction}")(
        cell.kind, units, len(sizes), frames, sizes.data_ptr(), tanh, reverse, torch.get_num_threads(),
        instruction_set, weight.data_ptr(), *(None if each is None else each.data_ptr() for each in arrays),
    )  # fmt: skip
    if failed == 1:
        raise MemoryError("no memory for the time loop")
    if failed:
        raise ValueError(f"batch sizes {sizes.tolist()} for {frames} frames: must be positive, never grow, and add up")
