"""The activations, and the order of time steps in packed frames.

Loops work on packed frames (`torch.nn.utils.rnn.PackedSequence`): the frames of all utterances, time step after time
step, longest utterance first, no padding. The input product happens before the loop and the weight gradient after it,
each as one matrix product over all frames. The loop itself computes only what depends on the step before.
"""

from __future__ import annotations

from enum import Enum

import torch
import torch.nn.functional as F
from torch import Tensor

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


class Steps:
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
