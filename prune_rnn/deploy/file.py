"""The packed file: a pruned network for inference in one safetensors file, without pickle.

The metadata are `format`, `config` (JSON: the values of config.yaml), `alphabet`, `dtype`, `matrices` (JSON: their
names), and `sha256`, by `integrity.sealed`. The same network makes the same bytes. A matrix `m` is stored as

  m          (rows, columns), where dense is shorter; else
  m.values   (n,) of the dtype: the weights that are not zero, row after row; zeros where a gap is too long
  m.gaps     (n,) uint8: how many weights are skipped before each
  m.shape    (2,) int32
  m.scale    (rows,) float32, of int8 weights only: a weight is its value times its row's scale

Batch norm is folded into `<layer>.gain` and `<layer>.shift` (float32): y = x gain + shift. Convolutions, the row
convolution and the output's bias stay float32. `features.mean` and `features.deviation` (bins,) are those of the log
spectrogram before normalisation; streaming starts from them. They are over 200 utterances of train (export.SAMPLE), or
over dev where the run does not record where train lies.
"""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from prune_rnn import files, paths
from prune_rnn.data.coding import Coding
from prune_rnn.deploy import layout
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.integrity import sealed
from prune_rnn.model.deepspeech2 import ModelConfig, read_model
from prune_rnn.typed import Plain, typed
from prune_rnn.values import from_json

FORMAT = "prune-rnn 1"
WIDEST_GAP = 255
_KEYS = {"format", "config", "alphabet", "dtype", "matrices", "sha256"}  # of the metadata


@dataclass(frozen=True, slots=True)
class PackedConfig:
    """A run's configuration in a packed file: the network, the data, and all values as in config.yaml."""

    model: ModelConfig
    data: Plain
    values: Plain

    @classmethod
    def of(cls, values: Plain) -> PackedConfig:
        """Returns the configuration in the values; ValueError names a key of the wrong type."""
        try:
            model, data = (typed(Plain, values["identity"][key], f"identity.{key}") for key in ("model", "data"))
            return cls(read_model(model, values["model_name"]), data, values)
        except (KeyError, TypeError) as error:
            raise ValueError(f"its configuration lacks the network or the data ({error})") from None


@dataclass(frozen=True, slots=True)
class Packed:
    """A network's configuration, its matrices by name, and all other tensors by name (float32)."""

    config: PackedConfig
    dtype: Dtype
    matrices: dict[str, Weight]
    tensors: dict[str, Tensor]


def gaps_of(nonzero: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (positions, gaps) of the values in a flat array; a gap is the number of elements skipped before a value.

    nonzero: (n,) bool. positions: int64, ascending: all that are set, and every 256th element of a longer gap.
    gaps: uint8, of the same length.

    >>> gaps_of(torch.tensor([True, False, False, True]))
    (tensor([0, 3]), tensor([0, 2], dtype=torch.uint8))
    """
    wanted = nonzero.nonzero().flatten()
    skipped = torch.diff(wanted, prepend=torch.tensor([-1])) - 1
    fillers = skipped // (WIDEST_GAP + 1)
    last = torch.repeat_interleave(wanted, fillers + 1)  # each value's position once for itself, once for a filler
    ends = (fillers + 1).cumsum(0)
    number = torch.arange(len(last)) - torch.repeat_interleave(ends - fillers - 1, fillers + 1)
    before = torch.repeat_interleave(wanted - skipped - 1, fillers + 1)
    filler = number < torch.repeat_interleave(fillers, fillers + 1)
    positions = torch.where(filler, before + (number + 1) * (WIDEST_GAP + 1), last)
    gaps = torch.diff(positions, prepend=torch.tensor([-1])) - 1
    return positions, gaps.to(torch.uint8)


def _encoded(name: str, weight: Weight) -> dict[str, Tensor]:
    flat = weight.values.flatten()
    scale = {} if weight.scale is None else {f"{name}.scale": weight.scale}
    dense = flat.numel() * flat.element_size()
    if int(flat.count_nonzero()) * (flat.element_size() + 1) >= dense:  # before the gaps, which take time and memory
        return {name: weight.values, **scale}
    positions, gaps = gaps_of(flat != 0)
    if len(positions) * (flat.element_size() + 1) >= dense:
        return {name: weight.values, **scale}
    shape = torch.tensor(weight.values.shape, dtype=torch.int32)
    return {f"{name}.values": flat[positions], f"{name}.gaps": gaps, f"{name}.shape": shape, **scale}


def _decoded(name: str, shape: layout.Shape, tensors: dict[str, Tensor]) -> Weight:
    scale = tensors.get(f"{name}.scale")
    if name in tensors:
        return Weight(tensors[name], scale)
    if (stated := tensors[f"{name}.shape"].tolist()) != list(shape):
        raise ValueError(f"{name}.shape is {stated}, not {list(shape)}")
    positions = (tensors[f"{name}.gaps"].long() + 1).cumsum(0) - 1
    if len(positions) and int(positions[-1]) >= math.prod(shape):
        raise ValueError(f"{name}.gaps lead beyond a matrix of {shape}")
    values = tensors[f"{name}.values"]
    flat = torch.zeros(math.prod(shape), dtype=values.dtype)
    flat[positions] = values
    return Weight(flat.view(shape), scale)


def stored(matrices: dict[str, Weight], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors of the file."""
    return tensors | {key: each for name, weight in matrices.items() for key, each in _encoded(name, weight).items()}


def to_bytes(packed: Packed) -> bytes:
    """Returns the content of the file."""
    tensors = stored(packed.matrices, packed.tensors)
    metadata = {
        "format": FORMAT,
        "config": json.dumps(packed.config.values),
        "alphabet": Coding.of(packed.config.data).alphabet,
        "dtype": packed.dtype.value,
        "matrices": json.dumps(list(packed.matrices)),
    }
    return sealed.sealed_tensors(save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata))


def read(path: Path) -> Packed:
    """Returns the content of a packed file; ValueError that names it unless it is one, OSError where it is missing.

    The checksum, the format, and every type and shape are checked before a tensor is read.
    """
    if path.is_dir():
        raise OSError(f"{path} is a folder; {_instead(path)}")
    if not path.exists():
        raise OSError(f"{path}: no such file; make one by `prune-rnn export RUN`")
    content = files.read(path, files.TENSORS)
    try:
        stated, own = sealed.checksums(content)
    except ValueError as error:
        what = f"damaged or no packed network ({error})"
        raise ValueError(f"{path} is {what}; make one by `prune-rnn export RUN`") from None
    if stated not in (None, own):  # where there is none, `_read` says whether the file is ours
        raise ValueError(f"{path} is damaged (its checksum is not that of its content); export it again")
    try:
        opened = safetensors.safe_open(path, framework="pt")
    except safetensors.SafetensorError as error:  # its header is right, and not what follows
        raise ValueError(f"{path} is damaged ({str(error).partition(chr(10))[0]}); export it again") from None
    with opened as file:
        return _read(path, file)


def _instead(folder: Path) -> str:
    """Returns the advice on a folder that was given as a packed file."""
    if packed := paths.packed(folder):
        return f"give a file, such as {packed[0]}"
    if (folder / paths.RESULT).exists():
        return f"pack the run by `prune-rnn export {shlex.quote(str(folder))}`, and give that file"
    return "give a file that `prune-rnn export RUN` wrote"


def _read(path: Path, file: Any) -> Packed:
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        found = f"its format is {metadata['format']!r}" if "format" in metadata else "it names no format"
        raise ValueError(f"{path} is no packed file of this version ({found}); give one that `prune-rnn export` wrote")
    try:
        if different := metadata.keys() ^ _KEYS:
            raise ValueError(f"{min(different)!r} is missing or unknown")
        config, dtype = PackedConfig.of(from_json(metadata["config"])), Dtype(metadata["dtype"])
        if metadata["alphabet"] != (own := Coding.of(config.data).alphabet) or len(own) != config.model.symbols:
            raise ValueError(f"its alphabet is {metadata['alphabet']!r}, its configuration's {own!r}")
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (it is not a dict)
        entries = {name: (each.get_dtype(), tuple(each.get_shape())) for name, each in slices.items()}
        shapes = layout.check(config.model, dtype, from_json(metadata["matrices"]), entries)
        tensors = {name: file.get_tensor(name) for name in entries}
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise ValueError(f"{name} has values that are not finite")
        matrices = {name: _decoded(name, shape, tensors) for name, shape in shapes.items()}
        parts = {f"{name}{part}" for name in shapes for part in ("", ".values", ".gaps", ".shape", ".scale")}
        rest = {name: tensor for name, tensor in tensors.items() if name not in parts}
        return Packed(config, dtype, matrices, rest)
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"{path} is damaged ({str(error).partition(chr(10))[0]}); export it again") from None
