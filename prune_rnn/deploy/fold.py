"""From the weights of a training to those of inference: batch norm is folded into a gain and a shift."""

from __future__ import annotations

import torch
from torch import Tensor

from prune_rnn.engine.quantise import Dtype, Weight, quantise
from prune_rnn.model import layers


def fold(state: dict[str, Tensor], dtype: Dtype) -> tuple[dict[str, Weight], dict[str, Tensor]]:
    """Returns the matrices, rounded to the type, and the other tensors of a network's `state_dict`, by name."""
    matrices: dict[str, Weight] = {}
    tensors: dict[str, Tensor] = {}
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
    return matrices, tensors
