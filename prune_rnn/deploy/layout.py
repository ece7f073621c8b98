"""What the packed file of a network has to hold, worked out from its configuration before a tensor is read."""

from __future__ import annotations

import math

from prune_rnn.engine.quantise import Dtype
from prune_rnn.model import layers
from prune_rnn.model.deepspeech2 import ModelConfig, meta_model
from prune_rnn.speech.features import BINS

Shape = tuple[int, ...]
Entries = dict[str, tuple[str, Shape]]  # by name: the type as safetensors calls it, and the shape
_KINDS = {Dtype.float32: "F32", Dtype.bfloat16: "BF16", Dtype.int8: "I8"}


def shapes(config: ModelConfig) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Returns the shapes of a network's matrices and of its other tensors, by their names in the packed file."""
    matrices: dict[str, Shape] = {}
    tensors: dict[str, Shape] = {"features.mean": (BINS,), "features.deviation": (BINS,)}
    for name, value in meta_model(config).state_dict().items():
        if found := layers.norm_of(name):
            if found[1] == "running_var":
                tensors[f"{found[0]}.gain"] = tensors[f"{found[0]}.shift"] = tuple(value.shape)
        elif matrix := layers.matrix_of(name):
            matrices[matrix] = tuple(value.shape)
        else:
            tensors[name] = tuple(value.shape)
    return matrices, tensors


def check(config: ModelConfig, dtype: Dtype, names: list[str], found: Entries) -> dict[str, Shape]:
    """Returns the shapes of the matrices; ValueError where a tensor is missing, unknown, or of another type or shape.

    names: of the matrices, as the file lists them.
    """
    config.check()
    if config.layers > len(found):
        raise ValueError(f"{config.layers} layers in {len(found)} tensors")
    matrices, tensors = shapes(config)
    if sorted(names) != sorted(matrices):
        raise ValueError(f"its matrices are {', '.join(names)}, those of its network {', '.join(matrices)}")
    wanted: Entries = {name: ("F32", shape) for name, shape in tensors.items()}
    for name, shape in matrices.items():
        if dtype is Dtype.int8:
            wanted[f"{name}.scale"] = ("F32", shape[:1])
        if name in found:
            wanted[name] = (_KINDS[dtype], shape)
            continue
        count = found.get(f"{name}.gaps", ("", (0,)))[1]
        if len(count) != 1 or count[0] > math.prod(shape):
            raise ValueError(f"{name}.gaps of shape {count} for a matrix of {shape}")
        wanted |= {
            f"{name}.values": (_KINDS[dtype], count),
            f"{name}.gaps": ("U8", count),
            f"{name}.shape": ("I32", (2,)),
        }
    if missing := wanted.keys() - found.keys():
        raise ValueError(f"{min(missing)} is missing")
    if unknown := found.keys() - wanted.keys():
        raise ValueError(f"{min(unknown)} belongs to no part of its network")
    for name, entry in wanted.items():
        if found[name] != entry:
            raise ValueError(f"{name} is {found[name]}, not {entry}")
    return matrices
