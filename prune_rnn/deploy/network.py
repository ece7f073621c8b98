"""A packed network at work: log-probabilities of whole utterances, or frame by frame as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn import paths
from prune_rnn.data.coding import Coding
from prune_rnn.deploy.convolution import Convolution, RowConvolution, joined
from prune_rnn.deploy.file import Packed, read
from prune_rnn.engine.base import Backend
from prune_rnn.engine.choose import fastest
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model import deepspeech2, layers
from prune_rnn.model.cell import Cell
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.model.recurrence import Activation
from prune_rnn.run.identity import digest_of
from prune_rnn.run.record import Recorded
from prune_rnn.run.resolve import meta_model
from prune_rnn.run.resume import MISFITS
from prune_rnn.run.store import Run
from prune_rnn.text import spelt

_FRAMES = 64  # that a product over a whole utterance is timed for
_KEPT = 31 << 20  # bytes: below the 32 MiB up to which glibc learns


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


class Network:
    """A packed network. frames, streams: of each of so many streams, so many frames are multiplied with a matrix at a
    time, which the products are chosen for; 1 frame for streaming. choose: makes the backends, as
    `engine.choose.fastest` does."""

    def __init__(
        self, packed: Packed, frames: int = _FRAMES, streams: int = 1, choose: Callable[..., Backend] = fastest
    ) -> None:
        # Once so much was freed, glibc keeps twice as much for what comes; else it would give memory back after each
        # file and get it again page by page, a third of the time of a small network.
        torch.empty(_KEPT, dtype=torch.uint8)
        config = packed.config.model
        with torch.device("meta"):
            shape = DeepSpeech2(config)
        self.config, self.activation, self.coding = config, config.activation, Coding.of(packed.config.data)
        self.mean, self.deviation = packed.tensors["features.mean"], packed.tensors["features.deviation"]
        tensors = packed.tensors
        self.convolutions: list[Convolution] = []
        for i, conv in enumerate(shape.conv):
            assert isinstance(conv, deepspeech2.Convolution)
            # the first has one channel to sum over: nothing is gained by rounding
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
            (product(layers.matrix(i, layers.INPUT)), _affine(tensors, layers.recurrent(i)),
             recurrent(layers.matrix(i, layers.FORWARD)),
             recurrent(layers.matrix(i, layers.REVERSE)) if config.both_ways else None)
            for i in range(config.layers)
        ]  # fmt: skip
        self.row_conv = _row_convolution(tensors, self.activation) if not config.both_ways else None
        self.linear, self.linear_norm = product(layers.LINEAR), _affine(tensors, layers.LINEAR)
        self.output, self.bias = product(layers.OUTPUT), tensors[f"{layers.OUTPUT}.bias"]

    @property
    def frames_ahead(self) -> int:
        """Output frames to come that each one depends on, besides what the convolutions see."""
        return 0 if self.row_conv is None else self.row_conv.taps - 1

    def log_probs(self, features: Tensor) -> Tensor:
        """(bins, frames), normalised -> log-probabilities (output frames, symbols)."""
        x = features.t()[None, :, None]
        for index, convolution in enumerate(self.convolutions):
            before = convolution.padding[1]
            x = self.convolve(index, F.pad(x, (0, 0, 0, 0, before, before)))
        return self.after_convolutions(x[0].flatten(1))

    def convolve(self, index: int, x: Tensor) -> Tensor:
        """(batch, frame, channel, bin), frames padded -> convolution, batch norm per channel and bin, activation."""
        return self.convolutions[index](x)

    def after_convolutions(self, x: Tensor) -> Tensor:
        """(frames, channels * bins) of a whole utterance -> (frames, symbols)."""
        x = x[:, None]
        for index in range(len(self.layers)):
            x = self.recurrent(index, x, None)[0]
        x = x[:, 0]
        if self.row_conv is not None:
            x = self.look_ahead([F.pad(x, (0, 0, 0, self.frames_ahead))])
        return self.classify(x)

    def recurrent(self, index: int, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """(frames, streams, inputs) -> (frames, streams, units), where it runs both ways the sum of both, and the last
        state (streams, vectors * units)."""
        frames, streams, _ = x.shape
        return self.loop(index, self.inputs(index, x.flatten(0, 1)).view(frames, streams, -1), state)

    def inputs(self, index: int, x: Tensor) -> Tensor:
        """(frames, inputs) -> the input contribution to a recurrent layer, (frames, gates * units)."""
        product, norm, _, _ = self.layers[index]
        return norm(product.product(x))

    def loop(self, index: int, inputs: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Runs a recurrent layer over its input contribution, (frames, streams, gates * units), and returns what
        `recurrent` does."""
        _, _, ahead, back = self.layers[index]
        if back is None:
            return ahead.layer(self.cell, self.activation, inputs, state=state)
        assert state is None
        states, behind = ahead.both_ways(back, self.cell, self.activation, inputs)
        return states + behind, states[-1]

    def look_ahead(self, heard: Sequence[Tensor]) -> Tensor:
        """(frames + taps - 1, units) each -> row convolution, batch norm and activation, (all frames, units)."""
        assert self.row_conv is not None
        return joined([self.row_conv(x) for x in heard])

    def classify(self, x: Tensor) -> Tensor:
        """(frames, units) -> log-probabilities (frames, symbols)."""
        hidden = self.activation.apply_(self.linear_norm(self.linear.product(x)))
        return (self.output.product(hidden) + self.bias).log_softmax(-1)

    def text(self, features: Tensor) -> str:
        """(bins, frames), normalised -> what is spelt by the best path."""
        return spelt(self.log_probs(features), self.coding.alphabet)


def checkpoint(folder: Path) -> tuple[Recorded, DeepSpeech2]:
    """Returns the configuration and the network, in evaluation mode, of a finished run; ValueError for any other."""
    run = Run(folder)
    if not run.finished:
        raise ValueError(f"{folder} holds no finished run; train it first, and give its folder below results/runs")
    return read_weights(run)


def read_weights(run: Run) -> tuple[Recorded, DeepSpeech2]:
    """Returns the same."""
    config, state = run.config(), run.load(paths.MODEL)
    try:
        if digest_of(state["config"]["identity"]) != digest_of(config.identity):
            raise ValueError("it is of a run with another configuration")
        config.model.check()
        model, weights = meta_model(config.model), state["model"]  # of its size only once they are known to fit
        for name, value in model.state_dict().items():
            found = weights[name]
            if found.dtype != value.dtype or not found.isfinite().all():
                raise ValueError(f"{name} is not of {value.dtype}, or not finite")
        model.load_state_dict(weights, assign=True)
    except MISFITS as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        way = f"delete {run.folder} and train again"
        raise ValueError(f"{run.folder / paths.MODEL} does not hold the weights of its run ({reason}); {way}") from None
    return config, model.eval()


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
