"""The time loop of the recurrent layers, with its own gradient.

Both loops work on packed frames (`torch.nn.utils.rnn.PackedSequence`): the frames of all utterances, time step after
time step, longest utterance first, no padding. The input product happens before the loop and the weight gradient after
it, each as one matrix product over all frames; inside the loop stands only what depends on the step before. The loops
stand here as torch's operations; float32 on the CPU, where calling those takes most of the time, goes to `native`.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from prune_rnn.model import native

CLIP = 20.0  # of the clipped ReLU, min(max(x, 0), 20): Deep Speech 2, section 3.1


class Activation(Enum):
    """The non-linearity of the recurrent layers."""

    clipped_relu = "clipped_relu"
    tanh = "tanh"

    def apply_(self, x: Tensor) -> Tensor:
        """Replaces `x` (any shape) by f(x) in place, without a gradient, and returns it."""
        return x.clamp_(0.0, CLIP) if self is Activation.clipped_relu else x.tanh_()

    def slope(self, y: Tensor) -> Tensor:
        """Returns f'(x) for y = f(x), same shape; the clipped ReLU has slope 0 at both of its corners."""
        if self is Activation.clipped_relu:
            return ((y > 0) & (y < CLIP)).to(y.dtype)
        return 1 - y * y

    def __call__(self, x: Tensor) -> Tensor:
        """Returns f(x), any shape, with its gradient."""
        return F.hardtanh(x, 0.0, CLIP) if self is Activation.clipped_relu else x.tanh()


class _Steps:
    """Walks the time steps of packed frames in either direction; knows which rows precede which.

    `batch_sizes[t]` utterances are still going at step t, a number that never grows with t. Going forward in time, row
    i of step t follows row i of step t-1; going backward, it follows row i of step t+1 if that exists, else the zero
    state.
    """

    def __init__(self, batch_sizes: list[int], reverse: bool) -> None:
        self.sizes = batch_sizes
        last = len(batch_sizes) - 1
        self.order = range(last, -1, -1) if reverse else range(last + 1)
        self.back = 1 if reverse else -1  # from a step to the one computed before it

    def pairs(self) -> list[tuple[int, int | None]]:
        """Returns (step, the step computed before it or None) in the order of computation."""
        first = self.order[0]
        return [(t, None if t == first else t + self.back) for t in self.order]

    def state(self, hidden: tuple[Tensor, ...], step: int, previous: int | None) -> Tensor:
        """Returns the state before `step`, (batch_sizes[step], units), from the outputs of each step."""
        size = self.sizes[step]
        if previous is None:
            return hidden[step].new_zeros(size, hidden[step].shape[1])
        before = hidden[previous]
        if len(before) >= size:
            return before if len(before) == size else before[:size]
        return torch.cat([before, before.new_zeros(size - len(before), before.shape[1])])

    def previous_states(self, hidden: Tensor) -> Tensor:
        """Returns the state before each packed frame, (frames, units), from the outputs (frames, units)."""
        sizes = torch.tensor(self.sizes)
        step = torch.repeat_interleave(torch.arange(len(sizes)), sizes)  # of each frame
        first = sizes.cumsum(0) - sizes  # frame of each step
        row = torch.arange(len(hidden)) - first[step]
        before = step + self.back
        exists = (before >= 0) & (before < len(sizes))
        before = before.clamp(0, len(sizes) - 1)
        exists &= row < sizes[before]
        frame = torch.where(exists, first[before] + row, 0).to(hidden.device)
        return hidden[frame].masked_fill_(~exists.to(hidden.device)[:, None], 0.0)


class _RNN(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, batch_sizes: list[int], activation: Activation, reverse: bool
    ) -> Tensor:
        steps = _Steps(batch_sizes, reverse)
        transposed = weight.t().contiguous()
        hidden = x.clone()
        h = hidden.split(batch_sizes)
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
        steps: _Steps = ctx.steps
        sizes = steps.sizes
        slope = ctx.activation.slope(hidden).split(sizes)
        grad = grad_hidden.clone()  # becomes the gradient of the pre-activations, step by step
        g = grad.split(sizes)
        for step, previous in reversed(steps.pairs()):
            g[step].mul_(slope[step])
            if previous is not None:
                shared = min(sizes[step], sizes[previous])
                g[previous][:shared].addmm_(g[step][:shared], weight)
        return grad, grad.t() @ steps.previous_states(hidden), None, None, None


class _GRU(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, batch_sizes: list[int], activation: Activation, reverse: bool
    ) -> Tensor:
        n = weight.shape[1]
        steps = _Steps(batch_sizes, reverse)
        transposed = weight.t().contiguous()
        gates = torch.cat([x[:, : 2 * n], torch.zeros_like(x[:, :n])], dim=1)  # becomes z, r and U_h h
        candidate, hidden = torch.empty_like(x[:, :n]), torch.empty_like(x[:, :n])
        g, zr = gates.split(batch_sizes), gates[:, : 2 * n].split(batch_sizes)
        z, r, uh = (gates[:, i * n : (i + 1) * n].split(batch_sizes) for i in range(3))
        xh, c, h = x[:, 2 * n :].split(batch_sizes), candidate.split(batch_sizes), hidden.split(batch_sizes)
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
        steps: _Steps = ctx.steps
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
        return torch.cat([parts[:, n : 3 * n], parts[:, :n]], dim=1), parts[:, n:].t() @ states, None, None, None


def rnn(x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool = False) -> Tensor:
    """Returns h_t = f(x_t + U h_{t-1}) for all packed frames, from a zero state.

    x: (frames, units), the input contribution, packed. weight: U, (units, units). batch_sizes: (steps,) int64 on the
    CPU, as in `PackedSequence`. reverse: runs from the last frame of each utterance to its first.
    Returns (frames, units), packed alike. Differentiable once in x and weight.
    """
    if native.serves(x, weight):
        return native.layer(x, weight, batch_sizes, activation is Activation.tanh, reverse)
    hidden: Tensor = _RNN.apply(x, weight, batch_sizes.tolist(), activation, reverse)  # type: ignore[no-untyped-call]
    return hidden


def gru(x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool = False) -> Tensor:
    """Returns the states of Deep Speech 2's GRU (reset gate after the product) for all packed frames.

    z = sigmoid(x_z + U_z h), r = sigmoid(x_r + U_r h), c = f(x_c + r * (U_c h)), h' = (1 - z) h + z c.

    x: (frames, 3 * units), the input contribution, and weight: (3 * units, units), both in the order z, r, candidate.
    The rest is as for `rnn`. Source: Deep Speech 2 (1512.02595), section 3.2.
    """
    if native.serves(x, weight):
        return native.layer(x, weight, batch_sizes, activation is Activation.tanh, reverse)
    hidden: Tensor = _GRU.apply(x, weight, batch_sizes.tolist(), activation, reverse)  # type: ignore[no-untyped-call]
    return hidden
