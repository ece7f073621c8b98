"""What a recurrent cell is: how wide its layer, how it is trained, what one of its steps computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor
from torch.autograd import Function

from prune_rnn.model import loops
from prune_rnn.model.recurrence import Activation


class Cell(ABC):
    """A kind of recurrent layer; it holds no weights, and any two of a class are alike.

    `cells.Cells` lists all of them. A new one is a module beside this, a line there, its number `kind` and its step in
    C++ (native/common/cells.h, native/loops/walks.inc, native/sparse/portable.inc) and for CUDA (model/cuda.py,
    model/cuda_kernels.py, engine/cuda_kernels.py), and its name in bench/opponents and bench/networks.py.

    A state is `vectors` vectors of `units`, side by side: the first, h, is the layer's output and meets U; the others
    are the cell's own.
    """

    name: ClassVar[str]  # in `model.cell`
    gates: ClassVar[int]  # how many products of `units` rows a layer's matrices hold
    vectors: ClassVar[int]  # how many vectors of `units` a state holds
    kind: ClassVar[int]  # its number in the C++ code, see native/common/cells.h
    biases: ClassVar[tuple[float, ...]]  # of each gate at the start of training: the shift of the batch norm before it
    resets: ClassVar[bool]  # a gate meets its last gate's U h, whose gradient therefore is not that of x there
    follows_activation: ClassVar[bool]  # its f is the model's activation; else it is tanh in every model
    bidirectional: ClassVar[bool]  # its layers run both ways, where the model does not say otherwise
    loop: ClassVar[type[Function]]  # `states` by torch's operations, with its gradient; takes batch_sizes as a list

    @abstractmethod
    def step(self, x: Tensor, uh: Tensor, state: Tensor, activation: Activation, out: Tensor | None = None) -> Tensor:
        """Returns the state after `state`, without a gradient: the reference for all that computes this cell.

        x: (streams, gates * units), the input contribution. uh: U h, of the same shape. state: (streams, vectors *
        units), left as it is. All of one floating type. activation: the model's. out: where the new state goes.
        """

    def states(
        self, x: Tensor, weight: Tensor, batch_sizes: Tensor, activation: Activation, reverse: bool = False
    ) -> Tensor:
        """Returns the outputs of all packed frames, (frames, units), packed alike, from a zero state.

        x: (frames, gates * units), the input contribution, packed. weight: U, (gates * units, units). batch_sizes:
        (steps,) int64 on the CPU, as in `PackedSequence`. reverse: runs from the last frame of each utterance to its
        first. Differentiable once in x and weight. Calling torch's operations takes most of the time: in float32 on
        the CPU the loop is `loops`'s, on a CUDA device `cuda`'s.
        """
        if loops.serves(self, x, weight):
            return loops.layer(self, x, weight, batch_sizes, activation is Activation.tanh, reverse)
        if x.is_cuda:
            from prune_rnn.model import cuda  # which imports triton, and that takes long

            if cuda.serves(self, x, weight):
                return cuda.layer(self, x, weight, batch_sizes, activation, reverse)
        loop: Any = self.loop
        hidden: Tensor = loop.apply(x, weight, batch_sizes.tolist(), activation, reverse)
        return hidden
