"""The size of the packed file, by counting."""

from __future__ import annotations

from collections.abc import Collection
from math import prod

from prune_rnn.deploy import layout
from prune_rnn.deploy.file import WIDEST_GAP
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.deepspeech2 import ModelConfig

_CONFIGURATION, _ENTRY = 1_900, 88  # bytes of a packed file's header, about: at all, and for each tensor


def packed_bytes(config: ModelConfig, pruned: Collection[str], sparsity: float, dtype: Dtype) -> int:
    """Returns the size of the packed file to within a few per cent.

    pruned: names of the weights that are pruned, all alike, to this sparsity; none for a dense network.
    """
    matrices, tensors = layout.shapes(config)
    element = dtype.torch.itemsize
    total, entries = 4.0 * sum(map(prod, tensors.values())), len(tensors)
    for name, shape in matrices.items():
        kept = 1 - sparsity if f"{name}.weight" in pruned else 1.0
        further = (1 - kept) ** (WIDEST_GAP + 1)  # how often a gap is too long for its byte, and how often again
        stored = prod(shape) * kept / (1 - further)
        sparse, dense, quantised = stored * (element + 1) + 8, prod(shape) * element, dtype is Dtype.int8
        total += min(sparse, dense) + 4 * shape[0] * quantised
        entries += (3 if sparse < dense else 1) + quantised
    return round(total + _CONFIGURATION + _ENTRY * entries)
