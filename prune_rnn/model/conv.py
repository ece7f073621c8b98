"""Convolutions without a gradient by the C++ library of the time loops, batch norm and activation in the same pass."""

from __future__ import annotations

import ctypes

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.native.library import built, chosen

_BLOCK = 4  # channels out whose weights lie together


class RowConvolution:
    """(frames + taps - 1, units) -> (frames, units): f(gain * convolution + shift).

    weight: (taps, units). gain, shift: (units,). tanh: else the clipped ReLU. It runs on what is `chosen`
    when it is made. ValueError for what doesn't fit or is not float32 on the CPU.
    """

    def __init__(self, weight: Tensor, gain: Tensor, shift: Tensor, tanh: bool) -> None:
        library, instruction_set = _chosen()
        self.taps, self.units = weight.shape
        if gain.shape != (self.units,) or shift.shape != (self.units,):
            raise ValueError(f"gain {tuple(gain.shape)} and shift {tuple(shift.shape)} for {self.units} units")
        self._kept = [_checked(each) for each in (weight, gain, shift)]
        self._function, self._last = library.prune_rnn_row_convolution, [each.data_ptr() for each in self._kept]
        self._tanh, self._instruction_set = tanh, instruction_set

    def __call__(self, x: Tensor) -> Tensor:
        rows, units = x.shape
        frames = rows - self.taps + 1
        if frames < 0 or units != self.units:
            raise ValueError(f"{rows} frames of {units} units for {self.taps} taps of {self.units}")
        x, y = _checked(x), torch.empty(frames, units)
        self._function(
            frames, self.taps, units, self._tanh, torch.get_num_threads(), self._instruction_set, x.data_ptr(),
            *self._last, y.data_ptr(),
        )  # fmt: skip
        return y


class Convolution:
    """(batch, frame, channel, bin) -> the same: f(gain * convolution + shift), its bins padded, its frames not.

    weight: (out, in, bins, frames). gain, shift: (out * bins out,). tanh: as above. stride: bins, frames. padding: of
    bins. rounded: weights, x and the convolution's results are rounded to bfloat16, sums are not. It runs on what is
    `chosen` when it is made. ValueError for what doesn't fit or is not float32 on the CPU.
    """

    def __init__(
        self,
        weight: Tensor,
        gain: Tensor,
        shift: Tensor,
        *,
        tanh: bool,
        stride: tuple[int, int],
        padding: int,
        rounded: bool,
    ) -> None:
        library, instruction_set = _chosen()
        self._out, self._in, self._bins, self._frames = weight.shape
        self._stride, self._padding = stride, padding
        if gain.dim() != 1 or gain.shape != shift.shape or len(gain) % self._out:
            raise ValueError(f"gain {tuple(gain.shape)} and shift {tuple(shift.shape)} for {self._out} channels")
        self._bins_out = len(gain) // self._out
        self._kept = [_packed(weight, rounded, in_pairs=rounded and bool(library.prune_rnn_in_pairs(instruction_set)))]
        self._kept += [_checked(each) for each in (gain, shift)]
        self._function, self._last = library.prune_rnn_convolution, [each.data_ptr() for each in self._kept]
        self._options = rounded, tanh
        self._instruction_set = instruction_set

    def __call__(self, x: Tensor) -> Tensor:
        batch, frames, channels, bins = x.shape
        over_bins, over_frames = bins + 2 * self._padding - self._bins, frames - self._frames
        if channels != self._in or over_frames < 0 or over_bins // self._stride[0] + 1 != self._bins_out:
            kernel = f"(channel, bin, frame) of {self._in}, {self._bins}, {self._frames}, {self._padding} bins padded"
            raise ValueError(f"x of shape {tuple(x.shape)} for a kernel {kernel}, that gives {self._bins_out} bins")
        x = _checked(x)
        y = torch.empty(batch, over_frames // self._stride[1] + 1, self._out, self._bins_out)
        sizes = batch, frames, channels, bins, self._out, self._bins, self._frames, *self._stride, self._padding
        if self._function(
            (ctypes.c_int64 * len(sizes))(*sizes), *self._options, torch.get_num_threads(), self._instruction_set,
            x.data_ptr(), *self._last, y.data_ptr(),
        ):  # fmt: skip
            raise MemoryError("no memory for the convolution")
        return y


def _chosen() -> tuple[ctypes.CDLL, int]:
    library, instruction_set = built(), chosen()
    assert library is not None and instruction_set is not None, "ask `chosen` first"
    return library, int(instruction_set)


def _packed(weight: Tensor, rounded: bool, in_pairs: bool) -> Tensor:
    """(out, in, bins, frames) -> (block, frame, in, bin, out) or, in pairs, (block, frame, pair, bin, out, 2)."""
    weight = weight.bfloat16().float() if rounded else weight
    weight = F.pad(_checked(weight), (0, 0, 0, 0, 0, weight.shape[1] % 2 if in_pairs else 0, 0, -len(weight) % _BLOCK))
    _, channels, bins, frames = weight.shape
    if in_pairs:
        pairs = weight.bfloat16().view(-1, _BLOCK, channels // 2, 2, bins, frames)
        return pairs.permute(0, 5, 2, 4, 1, 3).contiguous()
    return weight.view(-1, _BLOCK, channels, bins, frames).permute(0, 4, 2, 3, 1).contiguous()


def _checked(array: Tensor) -> Tensor:
    if array.dtype is not torch.float32 or not array.is_cpu:
        raise ValueError(f"the library takes float32 on the CPU, not {array.dtype} on {array.device}")
    return array.contiguous()
