"""What a recurrent cell is: the size of its layer, its training loop, and one of its steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor
from torch.autograd import Function

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
    loop: ClassVar[type[Function]]  # `states.states` by torch's operations, with its gradient; takes `Steps`

    @abstractmethod
    def step(self, x: Tensor, uh: Tensor, state: Tensor, activation: Activation, out: Tensor | None = None) -> Tensor:
        """Returns the state after `state`, without a gradient: the reference for all that computes this cell.

        x: (streams, gates * units), the input contribution. uh: U h, of the same shape. state: (streams, vectors *
        units), left as it is. All of one floating type. activation: the model's. out: where the new state goes.
        """
