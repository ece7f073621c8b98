"""Deep Speech 2's gated recurrent unit, run forward only and followed by a row convolution."""

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
        gates = torch.cat([x[:, : 2 * n], torch.zeros_like(x[:, :n])], dim=1)  # becomes z, r and U_h h
        candidate, hidden = torch.empty_like(x[:, :n]), torch.empty_like(x[:, :n])
        sizes = steps.sizes
        g, zr = gates.split(sizes), gates[:, : 2 * n].split(sizes)
        z, r, uh = (gates[:, i * n : (i + 1) * n].split(sizes) for i in range(3))
        xh, c, h = x[:, 2 * n :].split(sizes), candidate.split(sizes), hidden.split(sizes)
        for step, previous in steps.pairs():
            state = steps.state(h, step, previous)
            if previous is not None:
                g[step].addmm_(state, transposed)
            zr[step].sigmoid_()
            activation.apply_(torch.addcmul(xh[step], r[step], uh[step], out=c[step]))
            torch.lerp(state, c[step], z[step], out=h[step])
        ctx.save_for_backward(weight, gates, candidate, hidden)
        ctx.steps, ctx.activation = steps, activation
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor) -> tuple[Tensor | None, ...]:
        weight, gates, candidate, hidden = ctx.saved_tensors
        steps: Steps = ctx.steps
        sizes, (frames, n) = steps.sizes, hidden.shape
        states = steps.previous_states(hidden)
        z, r, uh = gates.view(frames, 3, n).unbind(1)
        keep = 1 - z
        # The local slopes of all frames at once. The gradient has four parts a frame: of the candidate's, z's and r's
        # pre-activations, and of U_h h. In this order those of the recurrent product (z, r, U_h h) lie side by side.
        from_hidden = torch.stack([z * ctx.activation.slope(candidate), (candidate - states) * z * keep], dim=1)
        from_candidate = torch.stack([uh * r * (1 - r), r], dim=1)
        parts = hidden.new_empty(frames, 4, n)
        candidate_z, r_uh = parts[:, :2].split(sizes), parts[:, 2:].split(sizes)
        only_candidate, recurrent = parts[:, :1].split(sizes), parts.view(frames, 4 * n)[:, n:].split(sizes)
        a, b, keep_t = from_hidden.split(sizes), from_candidate.split(sizes), keep.split(sizes)
        grad = grad_hidden.clone()
        g, g_wide = grad.split(sizes), grad.unsqueeze(1).split(sizes)
        for step, previous in reversed(steps.pairs()):
            torch.mul(g_wide[step], a[step], out=candidate_z[step])
            torch.mul(only_candidate[step], b[step], out=r_uh[step])
            if previous is not None:
                into, own, kept, product = g[previous], g[step], keep_t[step], recurrent[step]
                if sizes[step] != sizes[previous]:  # slicing costs as much as adding
                    m = min(sizes[step], sizes[previous])
                    into, own, kept, product = into[:m], own[:m], kept[:m], product[:m]
                into.addcmul_(own, kept).addmm_(product, weight)
        parts = parts.view(frames, 4 * n)
        # x receives z, r, candidate, as a whole: torch's batch norm is eight times slower on a strided gradient
        return torch.cat([parts[:, n : 3 * n], parts[:, :n]], dim=1), parts[:, n:].t() @ states, None, None


class GRU(Cell):
    """z = sigmoid(x_z + U_z h), r = sigmoid(x_r + U_r h), c = f(x_c + r * (U_c h)), h' = (1 - z) h + z c.

    The gates stand in the order z, r, candidate; the reset comes after the product. Source: Deep Speech 2 (1512.02595),
    section 3.2.
    """

    name = "gru"
    gates = 3
    vectors = 1
    kind = 1
    biases = (0.0, 0.0, 0.0)
    resets = True
    follows_activation = True
    bidirectional = False
    loop = _Loop

    def step(self, x: Tensor, uh: Tensor, state: Tensor, activation: Activation, out: Tensor | None = None) -> Tensor:
        n = state.shape[1]
        z, r = (x[:, : 2 * n] + uh[:, : 2 * n]).sigmoid_().split(n, dim=1)
        candidate = activation.apply_(torch.addcmul(x[:, 2 * n :], r, uh[:, 2 * n :]))
        return torch.lerp(state, candidate, z, out=out)
