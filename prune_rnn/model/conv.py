"""Convolutions by the C++ library: without a gradient, batch norm and activation in the same pass; and for training."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.native.library import InstructionSet, built, chosen

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
        self._shape, self._stride, self._padding = weight.shape, stride, padding
        out = len(weight)
        if gain.dim() != 1 or gain.shape != shift.shape or len(gain) % out:
            raise ValueError(f"gain {tuple(gain.shape)} and shift {tuple(shift.shape)} for {out} channels")
        self._bins_out = len(gain) // out
        self._kept = [_packed(weight, rounded, in_pairs=rounded and bool(library.prune_rnn_in_pairs(instruction_set)))]
        self._kept += [_checked(each) for each in (gain, shift)]
        self._function, self._last = library.prune_rnn_convolution, [each.data_ptr() for each in self._kept]
        self._options = rounded, tanh
        self._instruction_set = instruction_set

    def __call__(self, x: Tensor) -> Tensor:
        sizes = _sizes(x, self._shape, self._stride, self._padding)
        x, y = _checked(x), torch.empty(_shape_of(sizes))
        if y.shape[3] != self._bins_out:
            raise ValueError(
                f"x of shape {tuple(x.shape)} gives {y.shape[3]} bins, gain and shift are of {self._bins_out}"
            )
        if self._function(
            sizes, *self._options, torch.get_num_threads(), self._instruction_set,
            x.data_ptr(), *self._last, y.data_ptr(),
        ):  # fmt: skip
            raise MemoryError("no memory for the convolution")
        return y


def convolved(x: Tensor, weight: Tensor, stride: tuple[int, int], padding: int, on: InstructionSet) -> Tensor:
    """Returns the convolution alone, (batch, frame, channel, bin) as x; padding: of bins. ValueError as above."""
    sizes = _sizes(x, weight.shape, stride, padding)
    x, weight = _checked(x), _packed(weight, False, in_pairs=False)
    y = torch.empty(_shape_of(sizes))
    options = False, False, torch.get_num_threads(), int(on)
    if _library().prune_rnn_convolution(sizes, *options, x.data_ptr(), weight.data_ptr(), None, None, y.data_ptr()):
        raise MemoryError("no memory for the convolution")
    return y


def gradient_of_weight(
    x: Tensor, gradient: Tensor, shape: Sequence[int], stride: tuple[int, int], padding: int, on: InstructionSet
) -> Tensor:
    """Returns the gradient of the weight of `convolved`, of the given shape; gradient: of the convolution."""
    sizes = _sizes(x, shape, stride, padding)
    x, gradient, found = _checked(x), _checked(gradient), torch.empty(*shape)
    if gradient.shape != _shape_of(sizes):
        raise ValueError(f"gradient {tuple(gradient.shape)} of a convolution of shape {_shape_of(sizes)}")
    arrays = x.data_ptr(), gradient.data_ptr(), found.data_ptr()
    if _library().prune_rnn_convolution_weights(sizes, torch.get_num_threads(), int(on), *arrays):
        raise MemoryError("no memory for the gradient of the convolution's weight")
    return found


def _sizes(x: Tensor, shape: Sequence[int], stride: tuple[int, int], padding: int) -> Any:
    """Returns the sizes as the library takes them. ValueError where x and a weight of this shape don't fit."""
    (batch, frames, channels, bins), (out, within, kernel, taps) = x.shape, shape
    if channels != within or bins + 2 * padding < kernel or frames < taps:
        raise ValueError(f"x of shape {tuple(x.shape)} for a weight of shape {tuple(shape)}, {padding} bins padded")
    sizes = batch, frames, channels, bins, out, kernel, taps, *stride, padding
    return (ctypes.c_int64 * len(sizes))(*sizes)


def _shape_of(sizes: Any) -> tuple[int, ...]:
    """Returns the shape of the convolution."""
    batch, frames, _, bins, out, kernel, taps, over_bins, over_frames, padding = sizes
    return batch, (frames - taps) // over_frames + 1, out, (bins + 2 * padding - kernel) // over_bins + 1


def _library() -> ctypes.CDLL:
    library = built()
    assert library is not None, "ask `chosen` first"
    return library


def _chosen() -> tuple[ctypes.CDLL, int]:
    instruction_set = chosen()
    assert instruction_set is not None, "ask `chosen` first"
    return _library(), int(instruction_set)


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
