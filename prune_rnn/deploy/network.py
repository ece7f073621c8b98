"""A packed network: its layers, and the backends that compute them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn.data.coding import Coding
from prune_rnn.deploy.convolution import Convolution, RowConvolution, joined
from prune_rnn.deploy.file import Packed, read
from prune_rnn.engine.base import Backend
from prune_rnn.engine.choose import fastest
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model import deepspeech2, layers
from prune_rnn.model.cell import Cell
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.model.recurrence import Activation

_FRAMES = 64  # of a product over a whole utterance, for the choice of a backend
_FREED = 31 << 20  # bytes: just below glibc's limit of 32 MiB


@dataclass(frozen=True, slots=True)
class _Affine:
    """y = x gain + shift: batch norm in evaluation."""

    gain: Tensor
    shift: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.gain)


@dataclass(frozen=True, slots=True)
class _Recurrent:
    """One recurrent layer. input, norm: W and its batch norm. ahead, back: U of each direction, or of one."""

    input: Backend
    norm: _Affine
    ahead: Backend
    back: Backend | None


class Network:
    """A packed network.

    frames, streams: numbers of frames and streams per matrix product, by which backends are chosen; frames=1 for
    streaming. choose: makes the backends, as `engine.choose.fastest` does.
    """

    def __init__(
        self, packed: Packed, frames: int = _FRAMES, streams: int = 1, choose: Callable[..., Backend] = fastest
    ) -> None:
        # After this much was freed, glibc keeps twice as much for reuse. Otherwise it returns the memory of each file
        # and gets it again page by page: a third of the time of a small network.
        torch.empty(_FREED, dtype=torch.uint8)
        config = packed.config.model
        shape = meta_model(config)
        self.config, self.activation, self.coding = config, config.activation, Coding.of(packed.config.data)
        self.mean, self.deviation = packed.tensors["features.mean"], packed.tensors["features.deviation"]
        tensors = packed.tensors
        self.convolutions: list[Convolution] = []
        for i, conv in enumerate(shape.conv):
            assert isinstance(conv, deepspeech2.Convolution)
            # rounding gains nothing in the first, which sums over one channel
            rounded = packed.dtype is not Dtype.float32 and i > 0
            weight, norm = tensors[layers.weight(layers.conv(i))], _affine(tensors, layers.conv(i))
            own = Convolution(
                weight, norm.gain, norm.shift, self.activation,
                stride=conv.stride, padding=conv.padding, rounded=rounded,
            )  # fmt: skip
            self.convolutions.append(own)

        def product(name: str) -> Backend:
            return choose(packed.matrices[name], streams=frames * streams)

        self.cell: Cell = config.cell.value

        def recurrent(name: str) -> Backend:
            return choose(packed.matrices[name], gates=self.cell.gates, streams=streams, cell=self.cell)

        self.layers = [
            _Recurrent(
                product(layers.matrix(i, layers.INPUT)),
                _affine(tensors, layers.recurrent(i)),
                recurrent(layers.matrix(i, layers.FORWARD)),
                recurrent(layers.matrix(i, layers.REVERSE)) if config.both_ways else None,
            )
            for i in range(config.layers)
        ]
        self.row_conv = _row_convolution(tensors, self.activation) if not config.both_ways else None
        self.linear, self.linear_norm = product(layers.LINEAR), _affine(tensors, layers.LINEAR)
        self.output, self.bias = product(layers.OUTPUT), tensors[f"{layers.OUTPUT}.bias"]

    @property
    def frames_ahead(self) -> int:
        """Later output frames that each output depends on through the row convolution."""
        return 0 if self.row_conv is None else self.row_conv.taps - 1

    def convolve(self, index: int, x: Tensor) -> Tensor:
        """(batch, frame, channel, bin), frames padded -> convolution, batch norm per channel and bin, activation."""
        return self.convolutions[index](x)

    def recurrent(self, index: int, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """(frames, streams, inputs) -> (frames, streams, units) and the last state, (streams, vectors * units).

        A layer with two directions returns their sum.
        """
        frames, streams, _ = x.shape
        return self.loop(index, self.inputs(index, x.flatten(0, 1)).view(frames, streams, -1), state)

    def inputs(self, index: int, x: Tensor) -> Tensor:
        """(frames, inputs) -> the input contribution to a recurrent layer, (frames, gates * units)."""
        layer = self.layers[index]
        return layer.norm(layer.input.product(x))

    def loop(self, index: int, inputs: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """The same as `recurrent` from the input contribution, (frames, streams, gates * units)."""
        layer = self.layers[index]
        if layer.back is None:
            return layer.ahead.layer(self.cell, self.activation, inputs, state=state)
        assert state is None
        states, behind = layer.ahead.both_ways(layer.back, self.cell, self.activation, inputs)
        return states + behind, states[-1]

    def look_ahead(self, outputs: Sequence[Tensor]) -> Tensor:
        """(frames + taps - 1, units) each -> row convolution, batch norm and activation, (all frames, units)."""
        assert self.row_conv is not None
        return joined([self.row_conv(x) for x in outputs])

    def classify(self, x: Tensor) -> Tensor:
        """(frames, units) -> log-probabilities (frames, symbols)."""
        hidden = self.activation.apply_(self.linear_norm(self.linear.product(x)))
        return (self.output.product(hidden) + self.bias).log_softmax(-1)


def load(path: Path | str, frames: int = _FRAMES, streams: int = 1) -> Network:
    """Returns the network of a packed file; ValueError that names the file where something is missing from it.

    frames, streams: as for `Network`.
    """
    packed = read(Path(path))
    try:
        return Network(packed, frames, streams)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}); export it again") from None


def _affine(tensors: dict[str, Tensor], layer: str) -> _Affine:
    return _Affine(tensors[f"{layer}.gain"], tensors[f"{layer}.shift"])


def _row_convolution(tensors: dict[str, Tensor], activation: Activation) -> RowConvolution:
    weight, norm = tensors[layers.weight(layers.ROW_CONV)][:, 0].t().contiguous(), _affine(tensors, layers.ROW_CONV)
    return RowConvolution(weight, norm.gain, norm.shift, activation)
