"""Long short-term memory, run forward only and followed by a row convolution, as the GRU is."""

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
        n = weight.shape[1]
        transposed = weight.t().contiguous()
        gates = x.clone(memory_format=torch.contiguous_format)  # becomes i, f, g and o
        parts = gates.view(len(x), 4, n)
        memory, hidden = torch.empty_like(parts[:, 0]), torch.empty_like(parts[:, 0])
        wide, sigmoids = gates.split(steps.sizes), parts[:, :2].split(steps.sizes)
        c, h = memory.split(steps.sizes), hidden.split(steps.sizes)
        for step, previous in steps.pairs():
            if previous is not None:
                wide[step].addmm_(steps.state(h, step, previous), transposed)
            i, f, g, o = wide[step].split(n, dim=1)
            sigmoids[step].sigmoid_()
            torch.mul(i, g.tanh_(), out=c[step]).addcmul_(f, steps.state(c, step, previous))
            torch.mul(o.sigmoid_(), c[step].tanh(), out=h[step])
        ctx.save_for_backward(weight, gates, memory, hidden)
        ctx.steps = steps
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        weight, gates, memory, hidden = ctx.saved_tensors
        steps: Steps = ctx.steps
        sizes, (frames, n) = steps.sizes, hidden.shape
        i, f, g, o = gates.view(frames, 4, n).unbind(1)
        seen = memory.tanh()
        # The local slopes of all frames at once: of the memory c by h, and of the pre-activations by c or, of o, by h.
        to_memory = (o * (1 - seen * seen)).split(sizes)
        of_old = steps.previous_states(memory) * f * (1 - f)
        from_memory = torch.stack([g * i * (1 - i), of_old, i * (1 - g * g)], dim=1).split(sizes)
        from_hidden = (seen * o * (1 - o)).split(sizes)
        parts = hidden.new_empty(frames, 4, n)
        of_gates, products, forget = parts.split(sizes), parts.view(frames, 4 * n).split(sizes), f.split(sizes)
        grad, carried = grad_hidden.clone(), torch.zeros_like(hidden)  # of h and of c, step by step
        of_hidden, of_memory = grad.split(sizes), carried.split(sizes)
        for step, previous in reversed(steps.pairs()):
            of_memory[step].addcmul_(of_hidden[step], to_memory[step])
            torch.mul(of_memory[step].unsqueeze(1), from_memory[step], out=of_gates[step][:, :3])
            torch.mul(of_hidden[step], from_hidden[step], out=of_gates[step][:, 3])
            if previous is not None:
                m = min(sizes[step], sizes[previous])
                of_hidden[previous][:m].addmm_(products[step][:m], weight)
                of_memory[previous][:m].addcmul_(of_memory[step][:m], forget[step][:m])
        parts = parts.view(frames, 4 * n)
        return parts, parts.t() @ steps.previous_states(hidden), None, None


class LSTM(Cell):
    """i, f, o = sigmoid(x + U h), g = tanh(x_g + U_g h), c' = f c + i g, h' = o tanh(c'); the state is h, then c.

    The gates stand in the order i, f, g, o, as in torch.nn.LSTM; there are no peepholes. Its functions are tanh
    whatever the model's activation is: nothing else keeps c small. Source: Hochreiter and Schmidhuber (1997); the
    forget gate, Gers, Schmidhuber and Cummins (2000), and its bias of 1, Jozefowicz et al. (2015), section 3.1.
    """

    name = "lstm"
    gates = 4
    vectors = 2
    kind = 2
    biases = (0.0, 1.0, 0.0, 0.0)
    resets = False
    follows_activation = False
    bidirectional = False
    loop = _Loop

    def step(self, x: Tensor, uh: Tensor, state: Tensor, activation: Activation, out: Tensor | None = None) -> Tensor:
        out = torch.empty_like(state) if out is None else out
        n = state.shape[1] // 2
        i, f, g, o = (x + uh).split(n, dim=1)
        h, c = out.split(n, dim=1)
        torch.addcmul(f.sigmoid_() * state[:, n:], i.sigmoid_(), g.tanh_(), out=c)
        torch.mul(o.sigmoid_(), c.tanh(), out=h)
        return out
