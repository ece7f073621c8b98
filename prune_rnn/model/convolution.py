"""The network's convolutions for training, on a CPU several times as fast as torch's own.

Over bins and frames: by the C++ library, else, of few channels, as one over time alone (oneDNN fills few channels up
with zeros). The row convolution: its gradients are convolutions too, for which torch has no fast kernel.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input

from prune_rnn.model import conv
from prune_rnn.native.library import InstructionSet, chosen

FEW = 4  # channels; with more, measured, oneDNN's own convolution is faster than one over time alone


def conv2d(x: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
    """Returns `F.conv2d` with half a kernel of padding, for odd kernels, to rounding; differentiable.

    x: (batch, in, bins, frames). weight: (out, in, bins of the kernel, frames of the kernel). stride: bins, frames.
    """
    channels, _, kernel, taps = weight.shape
    on_cpu, autocast = x.device.type == "cpu", torch.is_autocast_enabled("cpu")
    if on_cpu and not autocast and chosen() is not None and x.dtype is weight.dtype is torch.float32:
        found: Tensor = _Compiled.apply(x, weight, stride)  # type: ignore[no-untyped-call]
        return found
    if channels > FEW or not on_cpu:
        with torch.autocast("cpu", enabled=False):  # there, three times slower in bfloat16
            return F.conv2d(x, weight, None, stride, (kernel // 2, taps // 2))
    return _by_bands(x, weight, stride, 14 if x.shape[1] == 1 else 7)


def row_convolution(x: Tensor, weight: Tensor) -> Tensor:
    """Returns `F.conv1d` of each unit with its own taps, without padding; differentiable.

    x: (batch, units, frames). weight: (units, 1, taps).
    """
    if x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
        found: Tensor = _Rows.apply(x, weight)  # type: ignore[no-untyped-call]
        return found
    return F.conv1d(x, weight, groups=len(weight))


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv1d(x, weight, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        (batch, units, _), taps = x.shape, weight.shape[2]
        grad_x = F.conv1d(F.pad(grad, (taps - 1, taps - 1)), weight.flip(-1), groups=units)
        rows = batch * units  # each is seen through its own gradient
        grad_weight = F.conv1d(x.reshape(1, rows, -1), grad.reshape(rows, 1, -1), groups=rows)
        return grad_x, grad_weight.view(batch, units, 1, taps).sum(0)


class _Compiled(torch.autograd.Function):
    """By the C++ library, which has the bins last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
        on = chosen()
        assert on is not None  # `conv2d` has asked
        kernel, taps = weight.shape[2:]
        padded = F.pad(x.permute(0, 3, 1, 2), (0, 0, 0, 0, taps // 2, taps // 2)).contiguous()
        ctx.options = stride, on
        ctx.save_for_backward(padded, weight)
        return conv.convolved(padded, weight, stride, kernel // 2, on).permute(0, 2, 3, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (padded, weight), (stride, on) = ctx.saved_tensors, ctx.options
        kernel, taps = weight.shape[2:]
        rows = grad.permute(0, 3, 1, 2).contiguous()
        grad_weight = conv.gradient_of_weight(padded, rows, weight.shape, stride, kernel // 2, on)
        if not ctx.needs_input_grad[0]:
            return None, grad_weight, None
        if stride[1] == 1:
            return _gradient_of_input(rows, weight, stride[0], padded.shape[3], on), grad_weight, None
        shape = len(padded), weight.shape[1], padded.shape[3], padded.shape[1] - taps // 2 * 2
        return conv2d_input(shape, weight, grad, stride, (kernel // 2, taps // 2)), grad_weight, None


def _gradient_of_input(gradient: Tensor, weight: Tensor, stride: int, bins: int, on: InstructionSet) -> Tensor:
    """Returns the gradient of x, of so many bins; stride: of bins, that of frames being 1.

    For bins `stride` apart it is a convolution of the gradient with every `stride`-th bin of the kernel, backwards. So
    this convolution has `stride` channels for each of x's.
    """
    out, inputs, kernel, taps = weight.shape
    reach = (kernel // 2 + stride - 1) // stride
    of_kernel = torch.arange(stride)[:, None] + kernel // 2 + stride * torch.arange(reach, -reach - 1, -1)
    of_kernel = torch.where((of_kernel >= 0) & (of_kernel < kernel), of_kernel, kernel)  # bin number `kernel` is zero
    parts = F.pad(weight, (0, 0, 0, 1))[:, :, of_kernel].flip(-1)  # (out, in, stride, 2 reach + 1, taps)
    parts = parts.permute(1, 2, 0, 3, 4).reshape(inputs * stride, out, 2 * reach + 1, taps)
    padded = F.pad(gradient, (0, 0, 0, 0, taps // 2, taps // 2))
    found = conv.convolved(padded, parts, (1, 1), reach, on)  # (batch, frame, in * stride, bins / stride)
    found = found.view(*found.shape[:2], inputs, stride, -1).transpose(3, 4).flatten(3)
    return found[..., :bins].permute(0, 2, 3, 1)


def _by_bands(x: Tensor, weight: Tensor, stride: tuple[int, int], band: int) -> Tensor:
    """Computes `band` output bins at a time from the input bins that they see: frequency becomes channels.

    Of (band - 1) * stride + kernel products only `kernel` are with a weight, the others with a zero. In return there is
    one large matrix product for each tap in time.
    """
    channels, inputs, kernel, taps = weight.shape
    batch, _, bins, frames = x.shape
    out = (bins - 1) // stride[0] + 1
    bands, seen = -(-out // band), (band - 1) * stride[0] + kernel  # input bins that a band sees
    before = kernel // 2
    after = (bands - 1) * band * stride[0] + seen - bins - before
    parts = F.pad(x, (0, 0, before, after)).unfold(2, seen, band * stride[0])  # (batch, in, bands, frames, seen)
    parts = parts.permute(0, 2, 1, 4, 3).reshape(batch * bands, inputs * seen, frames)
    tap = torch.arange(seen) - stride[0] * torch.arange(band)[:, None]  # of the kernel, between output and input
    tap = torch.where((tap >= 0) & (tap < kernel), tap, kernel)
    wide = F.pad(weight.transpose(2, 3), (0, 1))[..., tap]  # (out, in, taps, band, seen); tap number `kernel` is zero
    wide = wide.permute(0, 3, 1, 4, 2).reshape(channels * band, inputs * seen, taps)
    y = F.conv1d(parts, wide, None, stride[1], taps // 2).view(batch, bands, channels, band, -1)
    return y.transpose(1, 2).reshape(batch, channels, bands * band, -1)[:, :, :out]
