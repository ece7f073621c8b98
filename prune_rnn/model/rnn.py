"""The simple recurrent cell, run both ways: h' = f(x + U h)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation, Steps


class _Loop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, steps: Steps, activation: Activation) -> Tensor:
        transposed = weight.t().contiguous()
        hidden = x.clone()
        h = hidden.split(steps.sizes)
        for step, previous in steps.pairs():
            if previous is not None:
                h[step].addmm_(steps.state(h, step, previous), transposed)
            activation.apply_(h[step])
        ctx.save_for_backward(weight, hidden)
        ctx.steps, ctx.activation = steps, activation
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        weight, hidden = ctx.saved_tensors
        steps: Steps = ctx.steps
        sizes = steps.sizes
        slope = ctx.activation.slope(hidden).split(sizes)
        grad = grad_hidden.clone()  # becomes the gradient of the pre-activations, step by step
        g = grad.split(sizes)
        for step, previous in reversed(steps.pairs()):
            g[step].mul_(slope[step])
            if previous is not None:
                shared = min(sizes[step], sizes[previous])
                g[previous][:shared].addmm_(g[step][:shared], weight)
        return grad, grad.t() @ steps.previous_states(hidden), None, None


class RNN(Cell):
    """h' = f(x + U h)."""

    name = "rnn"
    gates = 1
    vectors = 1
    kind = 0
    biases = (0.0,)
    resets = False
    follows_activation = True
    bidirectional = True
    loop = _Loop

    def step(self, x: Tensor, uh: Tensor, state: Tensor, activation: Activation, out: Tensor | None = None) -> Tensor:
        return activation.apply_(torch.add(x, uh, out=out))
