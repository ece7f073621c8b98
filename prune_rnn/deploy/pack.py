"""From a trained network to what its packed file holds."""

from __future__ import annotations

import torch
from torch import Tensor

from prune_rnn.deploy.file import Packed, PackedConfig
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model import layers
from prune_rnn.run.record import Recorded


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
    return Packed(
        PackedConfig.of(config.values), dtype, matrices, {name: tensor.clone() for name, tensor in tensors.items()}
    )
