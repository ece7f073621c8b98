"""Deep Speech 2's networks as the paper prunes them: bidirectional RNN; forward-only GRU (here LSTM too) with row
convolution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from prune_rnn.config.option import option
from prune_rnn.model import layers
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.convolution import conv2d, row_convolution
from prune_rnn.model.recurrence import Activation
from prune_rnn.model.states import states
from prune_rnn.speech.features import BINS
from prune_rnn.typed import Plain, typed
from prune_rnn.usage import within

# far above any network of this kind, and far below what takes minutes to refuse
_MOST = {"units": 100_000, "baseline_units": 10_000_000, "layers": 100, "conv_channels": 4096, "lookahead": 10_000}


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    """One network of the paper's Table 3. Widths are those of the network itself, after `scale`."""

    name: str = option("the model's name", identity=False)
    cell: Cells = option("kind of recurrent layer")
    units: int = option("units of each layer, of the network as it is built")
    # `prune.q=baseline` looks for the run of this width, and q is what counts
    baseline_units: int = option("units of the dense network it is compared with", identity=False)
    # the default of `prune.sparsity`, which is what counts
    sparsity: float | None = option("zeros / all parameters of the paper's network", None, identity=False)
    layers: int = option("recurrent layers, 1 or more")
    activation: Activation = option("activation function", Activation.clipped_relu)
    conv_channels: int = option("channels of each convolution", 32)
    lookahead: int = option("taps of the row convolution of networks that run forward only, frames of 20 ms", 40)
    bidirectional: bool | None = option(
        "whether layers also run backward in time; null: an RNN's do, others' don't", None, later=True
    )
    symbols: int = option("of the output, the blank included; not to be set: data.alphabet has them", 29, later=True)
    prunable: dict[str, list[str]] = option("layer type -> patterns of parameter names to prune", factory=dict)

    def __post_init__(self) -> None:
        """Makes the identities of equal networks equal, and has the reverse matrices pruned as the forward ones."""
        if self.bidirectional == self.cell.value.bidirectional:
            self.bidirectional = None
        if self.bidirectional is None:
            return
        ahead, back = (layers.weight(f"{layers.RECURRENT}.*.{part}") for part in (layers.FORWARD, layers.REVERSE))
        prunable = {kind: [each for each in patterns if each != back] for kind, patterns in self.prunable.items()}
        more = [back] if self.bidirectional else []
        self.prunable = {kind: [*own, *more] if ahead in own else own for kind, own in prunable.items()}

    @property
    def both_ways(self) -> bool:
        """Whether layers also run from the last frame to the first; else a row convolution follows them."""
        return self.cell.value.bidirectional if self.bidirectional is None else self.bidirectional

    def check(self) -> None:
        """Raises ValueError where a number is out of its range."""
        for key, most in _MOST.items():
            within(f"model.{key}", getattr(self, key), 1, most)
        within("model.symbols", self.symbols, 2, 100_000)


class FrameNorm(nn.Module):
    """Sequence-wise batch norm: each unit is normalised over all true frames of the batch, and over nothing else."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(units)

    def forward(self, frames: Tensor) -> Tensor:
        """(frames, units) -> (frames, units), float32 also under autocast."""
        result: Tensor = self.norm(frames.float())
        return result


class Convolution(nn.Module):
    """Convolution over frequency and time, batch norm per channel and frequency, activation; pads stay zero."""

    def __init__(
        self, channels: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], bins: int, act: Activation
    ) -> None:
        super().__init__()
        self.padding = (kernel[0] // 2, kernel[1] // 2)
        self.stride = stride
        self.activation = act
        self.bins = (bins - 1) // stride[0] + 1  # with odd kernels and half a kernel of padding
        self.conv = nn.Conv2d(*channels, kernel, stride, self.padding, bias=False)
        self.norm = FrameNorm(channels[1] * self.bins)

    def lengths(self, lengths: Tensor) -> Tensor:
        """Returns the frames left of each utterance after the stride in time."""
        return (lengths - 1) // self.stride[1] + 1

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, channel, bin, frame) -> the same with fewer bins and frames; lengths: (batch,), of the input."""
        x = conv2d(x, self.conv.weight, self.stride).permute(0, 3, 1, 2)  # (batch, frame, channel, bin)
        lengths = self.lengths(lengths).to(x.device)
        # rows by number: several times as fast as by a mask, forward and back
        true_frames = (torch.arange(x.shape[1], device=x.device) < lengths[:, None]).flatten().nonzero().squeeze(1)
        rows = x.flatten(2).flatten(0, 1)
        normed = self.activation(self.norm(rows.index_select(0, true_frames)))
        padded = normed.new_zeros(rows.shape).index_copy(0, true_frames, normed)
        return padded.view(x.shape).permute(0, 2, 3, 1)


class Recurrent(nn.Module):
    """The cell over BN(W x_t), with U; where it runs both ways, with one W, a U for each way, and outputs summed."""

    def __init__(self, inputs: int, config: ModelConfig) -> None:
        super().__init__()
        self.cell: Cell = config.cell.value
        self.activation = config.activation
        n, gates = config.units, self.cell.gates
        self.input = nn.Linear(inputs, gates * n, bias=False)
        self.norm = FrameNorm(gates * n)
        self.recurrent = nn.Linear(n, gates * n, bias=False)
        self.recurrent_reverse = nn.Linear(n, gates * n, bias=False) if config.both_ways else None
        with torch.no_grad():
            self.norm.norm.bias.copy_(torch.tensor(self.cell.biases).repeat_interleave(n))

    def forward(self, x: Tensor, batch_sizes: Tensor) -> Tensor:
        """(frames, inputs) -> (frames, units), packed."""
        x = self.norm(self.input(x))
        ahead = states(self.cell, x, self.recurrent.weight, batch_sizes, self.activation)
        if self.recurrent_reverse is None:
            return ahead
        return ahead + states(self.cell, x, self.recurrent_reverse.weight, batch_sizes, self.activation, reverse=True)


class RowConvolution(nn.Module):
    """r_{t,i} = sum_j W_{i,j} h_{t+j,i}, j from 0 to taps - 1: each unit looks ahead; then batch norm, activation."""

    def __init__(self, units: int, taps: int, activation: Activation) -> None:
        super().__init__()
        self.taps, self.activation = taps, activation
        self.weight = nn.Parameter(torch.empty(units, 1, taps).uniform_(-(taps**-0.5), taps**-0.5))
        self.norm = FrameNorm(units)

    def forward(self, packed: PackedSequence) -> PackedSequence:
        """Packed (frames, units) -> the same; past its last frame an utterance is zero."""
        padded, lengths = pad_packed_sequence(packed)  # (frame, batch, unit)
        ahead = row_convolution(F.pad(padded.permute(1, 2, 0), (0, self.taps - 1)), self.weight)
        looked = pack_padded_sequence(ahead.permute(2, 0, 1), lengths)
        return looked._replace(data=self.activation(self.norm(looked.data)))


class DeepSpeech2(nn.Module):
    """Two convolutions, recurrent layers, a row convolution where these run forward only, linear layer, output.

    In evaluation an utterance's output does not depend on the rest of the batch, to rounding. Source: the paper,
    section 4.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.cell: Cell = config.cell.value
        n, channels, act = config.units, config.conv_channels, config.activation
        first = Convolution((1, channels), (41, 11), (2, 2), BINS, act)
        second = Convolution((channels, channels), (21, 11), (2, 1), first.bins, act)
        self.conv = nn.ModuleList([first, second])
        inputs = [channels * second.bins] + [n] * (config.layers - 1)
        self.recurrent = nn.ModuleList(Recurrent(size, config) for size in inputs)
        self.row_conv = RowConvolution(n, config.lookahead, act) if not config.both_ways else None
        self.linear = nn.Linear(n, n, bias=False)
        self.linear_norm = FrameNorm(n)
        self.activation = act
        self.output = nn.Linear(n, config.symbols)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5  # torch's own default for recurrent layers, here for all matrices
                nn.init.uniform_(module.weight, -bound, bound)

    def gates(self) -> dict[str, int]:
        """Returns the gates of each matrix whose rows belong to several, by the parameter's name."""
        names = [name for name, _ in self.named_parameters() if layers.is_recurrent(name) and layers.matrix_of(name)]
        return dict.fromkeys(names, self.cell.gates) if self.cell.gates > 1 else {}

    def lengths(self, lengths: Tensor) -> Tensor:
        """Returns the output frames of each utterance for its input frames, both (batch,) int64."""
        for conv in self.conv:
            assert isinstance(conv, Convolution)
            lengths = conv.lengths(lengths)
        return lengths

    def output_frames(self, frames: int) -> int:
        """Returns the output frames of one utterance of so many input frames."""
        return int(self.lengths(torch.tensor(frames)))

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Returns log-probabilities (output frames, batch, symbols), float32.

        features: (batch, bins, frames), zero past each utterance's end. lengths: (batch,) int64 on the CPU, each 1 or
        more, in frames; in any order.
        """
        x = features.unsqueeze(1)
        for conv in self.conv:
            assert isinstance(conv, Convolution)
            x = conv(x, lengths)
            lengths = conv.lengths(lengths)
        packed = pack_padded_sequence(x.flatten(1, 2).permute(2, 0, 1), lengths, enforce_sorted=False)
        for layer in self.recurrent:
            packed = packed._replace(data=layer(packed.data, packed.batch_sizes))
        if self.row_conv is not None:
            # the lengths of a packed sequence are in its own order: sorted here, unsorted at the end
            packed = self.row_conv(packed._replace(sorted_indices=None, unsorted_indices=None))._replace(
                sorted_indices=packed.sorted_indices, unsorted_indices=packed.unsorted_indices
            )
        hidden = self.activation(self.linear_norm(self.linear(packed.data)))
        log_probs = self.output(hidden).float().log_softmax(-1)
        padded: Tensor = pad_packed_sequence(packed._replace(data=log_probs))[0]
        return padded


def meta_model(config: ModelConfig) -> DeepSpeech2:
    """Returns the network with shapes but without weights."""
    with torch.device("meta"):
        return DeepSpeech2(config)


def read_model(kept: Plain, name: str) -> ModelConfig:
    """Returns the network that a run's identity keeps; ValueError names the key that does not fit.

    name: the model's, which is no part of the identity.
    """
    return typed(ModelConfig, {**kept, "name": name, "baseline_units": kept.get("units")}, "identity.model")
