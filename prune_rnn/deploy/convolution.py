"""The convolutions of a packed network: over bins and frames, and over the frames to come."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.engine import native
from prune_rnn.library import InstructionSet

_MOST = 16  # output frames of a product: what more of them see would leave the cache
_FEW = 4  # output frames up to which one product of all that is seen takes a third of the time of torch's convolution


class Convolution:
    """A convolution over (batch, channel, bin, frame), its bins padded, its frames not.

    weight: (out, in, bins, frames). stride, padding: bins, frames; frames are padded by the caller. rounded: weights,
    what it is given and what it gives are rounded to bfloat16; its sums are float32.
    """

    def __init__(self, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int], rounded: bool) -> None:
        self.stride, self.padding, self.rounded = stride, padding, rounded
        self.channels, _, self.bins, self.frames = weight.shape
        if rounded:
            weight = weight.bfloat16() if fast_bfloat16() else weight.bfloat16().float()
        self._columns = weight.flatten(1).t().contiguous()
        self._weight = weight.contiguous(memory_format=torch.channels_last)

    def outputs(self, frames: int) -> int:
        """Returns how many output frames so many frames give."""
        return max(0, (frames - self.frames) // self.stride[1] + 1)

    def __call__(self, x: Tensor) -> Tensor:
        if self.rounded:
            x = x.bfloat16()
        x = x.to(self._weight.dtype)
        outputs = self.outputs(x.shape[3])
        if len(x) == 1 and outputs <= _FEW:
            y = self._product(x)
        elif outputs <= _FEW:
            y = joined([self._product(part) for part in x.split(_MOST // outputs)])
        else:
            y = F.conv2d(x, self._weight, None, self.stride, (self.padding[0], 0))
        return y.bfloat16().float() if self.rounded else y

    def _product(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, 0, self.padding[0], self.padding[0]))
        seen = x.unfold(2, self.bins, self.stride[0]).unfold(3, self.frames, self.stride[1])
        y = seen.permute(0, 2, 3, 1, 4, 5).flatten(3) @ self._columns  # (batch, bin, frame, channel)
        return y.permute(0, 3, 1, 2)


def fast_bfloat16() -> bool:
    """Tells whether this machine has instructions for it; without, torch's convolution in it is a slow one."""
    return InstructionSet.avx512 in native.instruction_sets()


def row_convolution(x: Tensor, weight: Tensor) -> Tensor:
    """(frames + taps - 1, units) -> (frames, units): each unit's own weights, (taps, units), times its frames to come.

    Over long files this takes a sixth of the time of torch's depthwise convolution.
    """
    taps, frames = len(weight), len(x) - len(weight) + 1
    if frames < taps:
        return torch.stack([(x[frame : frame + taps] * weight).sum(0) for frame in range(frames)])
    y = x[:frames] * weight[0]
    for tap in range(1, taps):
        y.addcmul_(x[tap : tap + frames], weight[tap])
    return y


def joined(parts: list[Tensor]) -> Tensor:
    """Returns them one after the other along their first dimension; a single one as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
