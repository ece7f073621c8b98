"""A packed network at work: log-probabilities of whole utterances, or frame by frame as they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn import paths
from prune_rnn.deploy.file import Packed, read
from prune_rnn.engine.base import Multiplier
from prune_rnn.engine.choose import fastest
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model import layers
from prune_rnn.model.cell import Cell
from prune_rnn.model.deepspeech2 import Convolution, DeepSpeech2
from prune_rnn.run.record import Recorded
from prune_rnn.run.store import Run
from prune_rnn.text import greedy

_FRAMES = 64  # that a product over a whole utterance is timed for


def pack(state: dict[str, Tensor], config: Recorded, dtype: Dtype, mean: Tensor, deviation: Tensor) -> Packed:
    """Returns a trained network (its `state_dict`) for inference, its matrices rounded to the type.

    mean, deviation: (bins,) of the log spectrogram before normalisation.
    """
    matrices, tensors = {}, {"features.mean": mean, "features.deviation": deviation}
    for name, value in state.items():
        if found := layers.norm_of(name):
            layer, part = found
            if part == "running_var":
                norm = name.removesuffix(part)
                gain = state[f"{norm}weight"] * (value + torch.nn.BatchNorm1d(1).eps).rsqrt()
                tensors[f"{layer}.gain"] = gain
                tensors[f"{layer}.shift"] = state[f"{norm}bias"] - state[f"{norm}running_mean"] * gain
        elif matrix := layers.matrix_of(name):
            matrices[matrix] = quantise(value, dtype)
        else:
            tensors[name] = value
    return Packed(config, dtype, matrices, {name: tensor.clone() for name, tensor in tensors.items()})


@dataclass(frozen=True, slots=True)
class _Affine:
    """y = x gain + shift: batch norm in evaluation."""

    gain: Tensor
    shift: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.gain)


Filters = tuple[Tensor, tuple[int, int], tuple[int, int], _Affine]  # weight, stride, padding (bins, frames), norm


class Network:
    """A packed network. frames: how many are multiplied with a matrix at a time, which the products are chosen for;
    1 for streaming. choose: makes what multiplies, as `engine.choose.fastest` does."""

    def __init__(self, packed: Packed, frames: int = _FRAMES, choose: Callable[..., Multiplier] = fastest) -> None:
        config = packed.config.model
        with torch.device("meta"):
            shape = DeepSpeech2(config)
        self.config, self.activation = config, config.activation
        self.mean, self.deviation = packed.tensors["features.mean"], packed.tensors["features.deviation"]
        tensors = packed.tensors
        self.convolutions: list[Filters] = []
        for i, conv in enumerate(shape.conv):
            assert isinstance(conv, Convolution)
            weight, norm = tensors[layers.weight(layers.conv(i))], _affine(tensors, layers.conv(i))
            self.convolutions.append((weight, conv.stride, conv.padding, norm))

        def product(name: str) -> Multiplier:
            return choose(packed.matrices[name], streams=frames)

        self.cell: Cell = config.cell.value

        def recurrent(name: str) -> Multiplier:
            return choose(packed.matrices[name], gates=self.cell.gates, cell=self.cell)

        self.layers = [
            (product(layers.matrix(i, layers.INPUT)), _affine(tensors, layers.recurrent(i)),
             recurrent(layers.matrix(i, layers.FORWARD)),
             recurrent(layers.matrix(i, layers.REVERSE)) if self.cell.bidirectional else None)
            for i in range(config.layers)
        ]  # fmt: skip
        self.row_conv = tensors[layers.weight(layers.ROW_CONV)] if self.cell.row_convolution else None
        self.row_norm = _affine(tensors, layers.ROW_CONV) if self.cell.row_convolution else None
        self.linear, self.linear_norm = product(layers.LINEAR), _affine(tensors, layers.LINEAR)
        self.output, self.bias = product(layers.OUTPUT), tensors[f"{layers.OUTPUT}.bias"]

    def log_probs(self, features: Tensor) -> Tensor:
        """(bins, frames), normalised -> log-probabilities (output frames, symbols)."""
        x = features[None, None]
        for weight, stride, padding, norm in self.convolutions:
            x = self.normed(F.conv2d(x, weight, None, stride, padding), norm)
        return self.after_convolutions(x[0].flatten(0, 1).t())

    def normed(self, x: Tensor, norm: _Affine) -> Tensor:
        """(batch, channel, bin, frame): batch norm per channel and bin, activation."""
        frames = x.permute(0, 3, 1, 2)
        y = self.activation.apply_(norm(frames.flatten(2)))
        return y.view(frames.shape).permute(0, 2, 3, 1)

    def after_convolutions(self, x: Tensor) -> Tensor:
        """(frames, channels * bins) of a whole utterance -> (frames, symbols)."""
        for index in range(len(self.layers)):
            x, _ = self.recurrent(index, x, None)
        if self.row_conv is not None:
            x = self.look_ahead(F.pad(x, (0, 0, 0, self.row_conv.shape[-1] - 1)))
        return self.classify(x)

    def recurrent(self, index: int, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """(frames, inputs) -> (frames, units), last state (1, units); where it runs both ways, their sum."""
        product, norm, ahead, back = self.layers[index]
        inputs = norm(product.product(x))[:, None]
        if back is None:
            states, last = ahead.layer(self.cell, self.activation, inputs, state=state)
            return states[:, 0], last
        assert state is None
        states, behind = ahead.both_ways(back, self.cell, self.activation, inputs)
        return (states + behind)[:, 0], states[-1]

    def look_ahead(self, x: Tensor) -> Tensor:
        """(frames + taps - 1, units) -> row convolution, batch norm and activation, (frames, units)."""
        assert self.row_conv is not None and self.row_norm is not None
        y = F.conv1d(x.t()[None], self.row_conv, groups=len(self.row_conv))[0].t()
        return self.activation.apply_(self.row_norm(y))

    def classify(self, x: Tensor) -> Tensor:
        """(frames, units) -> log-probabilities (frames, symbols)."""
        hidden = self.activation.apply_(self.linear_norm(self.linear.product(x)))
        return (self.output.product(hidden) + self.bias).log_softmax(-1)

    def text(self, features: Tensor) -> str:
        """(bins, frames), normalised -> what is spelt by the best path."""
        log_probs = self.log_probs(features)
        return greedy(log_probs[:, None], torch.tensor([len(log_probs)]))[0]


def checkpoint(folder: Path) -> tuple[Recorded, DeepSpeech2]:
    """Returns the configuration and the network, in evaluation mode, of a finished run; ValueError for any other."""
    run = Run(folder)
    if not run.finished:
        raise ValueError(f"{folder} holds no finished run; train it first, and give its folder below results/runs")
    config = run.config()
    model = DeepSpeech2(config.model)
    model.load_state_dict(run.load(paths.MODEL)["model"])
    return config, model.eval()


def load(path: Path, frames: int = _FRAMES) -> Network:
    """Returns the network of a packed file; ValueError that names the file where something is missing from it."""
    packed = read(path)
    try:
        return Network(packed, frames)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}); export it again") from None


def _affine(tensors: dict[str, Tensor], layer: str) -> _Affine:
    return _Affine(tensors[f"{layer}.gain"], tensors[f"{layer}.shift"])
