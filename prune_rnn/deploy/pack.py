"""From a trained network to what its packed file holds."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from prune_rnn.deploy.file import Packed, PackedConfig
from prune_rnn.deploy.fold import fold
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.run.record import Recorded


def pack(state: dict[str, Tensor], config: Recorded, dtype: Dtype, mean: Tensor, deviation: Tensor) -> Packed:
    """Returns a trained network (its `state_dict`) for inference, its matrices rounded to the type.

    mean, deviation: (bins,) of the log spectrogram before normalisation.
    """
    matrices, tensors = fold(state, dtype)
    tensors |= {"features.mean": mean, "features.deviation": deviation}
    return Packed(
        PackedConfig.of(config.values), dtype, matrices, {name: tensor.clone() for name, tensor in tensors.items()}
    )


def rounded(packed: Packed, dtype: Dtype) -> Packed:
    """Returns a packed network in float32 with its matrices rounded to the type: what `pack` makes of its run."""
    matrices = {name: quantise(weight.float(), dtype) for name, weight in packed.matrices.items()}
    return replace(packed, dtype=dtype, matrices=matrices)
