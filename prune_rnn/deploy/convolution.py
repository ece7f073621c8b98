"""The convolutions of a packed network: over bins and frames, and over later frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.model import conv
from prune_rnn.model.recurrence import Activation
from prune_rnn.native.library import InstructionSet, chosen, instruction_sets

_FEW = 4  # output frames: up to so many, the compiled convolution takes a half to a tenth of torch's time
_WIDE = 16  # channels that torch's convolution always computes at a time


class Convolution:
    """(batch, frame, channel, bin) -> the same, by a convolution, batch norm and activation.

    weight: (out, in, bins, frames). gain, shift: (out * bins out,). stride, padding: bins, frames; the caller pads the
    frames. rounded: weights, input and convolved output are rounded to bfloat16; sums are float32.
    """

    def __init__(
        self,
        weight: Tensor,
        gain: Tensor,
        shift: Tensor,
        activation: Activation,
        *,
        stride: tuple[int, int],
        padding: tuple[int, int],
        rounded: bool,
    ) -> None:
        self.stride, self.padding, self.rounded = stride, padding, rounded
        self.channels, _, _, self.frames = weight.shape
        self.bins_out = len(gain) // self.channels
        self._gain, self._shift, self._activation = gain, shift, activation
        self._compiled: conv.Convolution | None = None
        if chosen() is not None:
            self._compiled = conv.Convolution(
                weight, gain, shift, tanh=activation is Activation.tanh, stride=stride, padding=padding[0],
                rounded=rounded,
            )  # fmt: skip
        if rounded:
            weight = weight.bfloat16() if fast_bfloat16() else weight.bfloat16().float()
        self._weight = weight.contiguous(memory_format=torch.channels_last)

    def outputs(self, frames: int) -> int:
        """Returns the number of output frames."""
        return max(0, (frames - self.frames) // self.stride[1] + 1)

    def __call__(self, x: Tensor) -> Tensor:
        if self._compiled is not None and (self.channels < _WIDE or self.outputs(x.shape[1]) <= _FEW):
            return self._compiled(x)
        if self.rounded:
            x = x.bfloat16()
        x = x.to(self._weight.dtype).permute(0, 2, 3, 1)
        y = F.conv2d(x, self._weight, None, self.stride, (self.padding[0], 0)).permute(0, 3, 1, 2)
        if self.rounded:
            y = y.bfloat16().float()
        return self._activation.apply_(torch.addcmul(self._shift, y.flatten(2), self._gain)).view(y.shape)


def fast_bfloat16() -> bool:
    """Whether this machine has instructions for bfloat16; without them torch's convolution in it is slow."""
    return InstructionSet.avx512_vnni in instruction_sets()


class RowConvolution:
    """(frames + taps - 1, units) -> (frames, units), by a convolution per unit, batch norm and activation.

    weight: (taps, units). gain, shift: (units,). Without the compiled library, long files take a sixth of the time of
    torch's depthwise convolution.
    """

    def __init__(self, weight: Tensor, gain: Tensor, shift: Tensor, activation: Activation) -> None:
        self.taps = len(weight)
        self._weight, self._gain, self._shift, self._activation = weight, gain, shift, activation
        self._compiled: conv.RowConvolution | None = None
        if chosen() is not None:
            self._compiled = conv.RowConvolution(weight, gain, shift, activation is Activation.tanh)

    def __call__(self, x: Tensor) -> Tensor:
        if self._compiled is not None:
            return self._compiled(x)
        frames = len(x) - self.taps + 1
        if frames < self.taps:
            y = torch.stack([(x[frame : frame + self.taps] * self._weight).sum(0) for frame in range(frames)])
        else:
            y = x[:frames] * self._weight[0]
            for tap in range(1, self.taps):
                y.addcmul_(x[tap : tap + frames], self._weight[tap])
        return self._activation.apply_(torch.addcmul(self._shift, y, self._gain))


def joined(parts: list[Tensor]) -> Tensor:
    """Returns the concatenation along the first dimension; a single tensor is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
