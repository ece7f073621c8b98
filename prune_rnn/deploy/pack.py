"""From a trained network to what its packed file holds."""

from __future__ import annotations

from torch import Tensor

from prune_rnn.deploy.file import Packed, PackedConfig
from prune_rnn.deploy.fold import fold
from prune_rnn.engine.quantise import Dtype
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
