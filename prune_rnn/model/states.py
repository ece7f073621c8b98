"""A recurrent layer over packed frames, with its gradient, by the fastest time loop for its device."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from prune_rnn.model import loops
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation, Steps


def states(
    cell: Cell, x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool = False
) -> Tensor:
    """Returns the outputs of all packed frames, (frames, units), packed alike, from a zero state.

    x: (frames, gates * units), the input contribution, packed. weight: U, (gates * units, units). batch_sizes:
    (steps,) int64 on the CPU, as in `PackedSequence`. reverse: runs from the last frame of each utterance to its first.
    Differentiable once in x and weight. Calling torch's operations takes most of the time: in float32 on the CPU the
    loop is `loops`'s, on a CUDA device `cuda`'s.
    """
    if loops.serves(cell, x, weight):
        return loops.layer(cell, x, weight, batch_sizes, activation, reverse)
    if x.is_cuda:
        from prune_rnn.model import cuda  # which imports triton, and that takes long

        if cuda.serves(cell, x, weight):
            return cuda.layer(cell, x, weight, batch_sizes, activation, reverse)
    loop: Any = cell.loop
    hidden: Tensor = loop.apply(x, weight, Steps(batch_sizes.tolist(), reverse), activation)
    return hidden
