"""From the weights of a training to those of inference: batch norm is folded into a gain and a shift."""

from __future__ import annotations

import torch
from torch import Tensor

from prune_rnn.engine.quantise import Dtype, Weight, quantise
from prune_rnn.model import layers


def fold(state: dict[str, Tensor], dtype: Dtype) -> tuple[dict[str, Weight], dict[str, Tensor]]:
    """Returns the matrices, rounded to the type, and the other tensors of a network's `state_dict`, by name.

    Denormal numbers become zero, as in a process that flushes them.
    """
    state = {name: _flushed(value) for name, value in state.items()}
    matrices: dict[str, Weight] = {}
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if found := layers.norm_of(name):
            layer, part = found
            if part == "running_var":
                norm = name.removesuffix(part)
                gain = state[f"{norm}weight"] * (value + torch.nn.BatchNorm1d(1).eps).rsqrt()
                tensors[f"{layer}.gain"] = _flushed(gain)
                tensors[f"{layer}.shift"] = _flushed(
                    state[f"{norm}bias"] - _flushed(state[f"{norm}running_mean"] * gain)
                )
        elif matrix := layers.matrix_of(name):
            matrices[matrix] = quantise(value, dtype)
        else:
            tensors[name] = value
    return matrices, tensors


def _flushed(value: Tensor) -> Tensor:
    """Returns the tensor with zeros in place of denormal numbers."""
    if not value.is_floating_point():
        return value
    return torch.where(value.abs() < torch.finfo(value.dtype).tiny, torch.zeros_like(value), value)
