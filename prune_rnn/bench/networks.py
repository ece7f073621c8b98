"""Whole networks for the benchmark, dense and sparse: with random weights, or as they were trained and packed.

All that the benchmark knows of a run's kept configuration stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn import paths
from prune_rnn.bench.candidate import DENSE
from prune_rnn.bench.matrices import OWN_MASK, UNSTRUCTURED, Shape
from prune_rnn.config.config import compose_config
from prune_rnn.deploy import file as packed_file
from prune_rnn.deploy.file import Packed
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model import layers
from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.run.record import read_config, recorded
from prune_rnn.speech.features import BINS

FRAMES = 99  # of a second of audio
_DENSE_UNITS = {Cells.gru: 2560, Cells.rnn: 1760, Cells.lstm: 2200}  # of the dense baselines at scale=paper


@dataclass(frozen=True, slots=True)
class Variant:
    """A network in each type of weights. sparsity: zeros / all of its matrices; None: it is computed densely."""

    sparsity: float | None
    mask: str
    by_dtype: dict[Dtype, Packed]


def read(files: Sequence[Path] | None, results: Path) -> dict[str, Packed]:
    """Returns packed models by name: the files given, else all that `prune-rnn export` left in run folders as float32.

    Raises ValueError where two have one name.
    """
    found = sorted(paths.runs(results).glob("*/model-float32.safetensors")) if files is None else files
    models: dict[str, Packed] = {}
    for path in found:
        name = path.parent.name if path.stem.startswith("model-") else path.stem
        if name in models:
            raise ValueError(f"models: two are called {name!r}; rename {path}, or leave it out")
        models[name] = packed_file.read(path)
    return models


def shape(name: str, model: Packed) -> Shape:
    """Returns the recurrent matrix of a model's middle layer, with its own mask."""
    config = model.config.model
    weight = model.matrices[layers.matrix(config.layers // 2, layers.FORWARD)].float()
    label = f"{name}, {config.units} units, scale={read_config(model.config.values).scale.name}"
    return Shape(name, label, config.cell.value, config.units, weight)


def baseline(model: Packed, models: dict[str, Packed]) -> str:
    """Returns the name of the first of the models that is as wide as its cell's dense network at this scale, or ""."""
    config = model.config.model
    units = round(read_config(model.config.values).scale.width * _DENSE_UNITS[config.cell])
    sizes = {name: (other.config.model.cell, other.config.model.units) for name, other in models.items()}
    return min((name for name, size in sizes.items() if size == (config.cell, units)), default="")


def trained(model: Packed) -> list[Variant]:
    """Returns a packed model computed densely, and with its own mask."""
    by_dtype = {
        dtype: replace(model, dtype=dtype, matrices={n: quantise(w.float(), dtype) for n, w in model.matrices.items()})
        for dtype in Dtype
    }
    total = sum(weight.values.numel() for weight in model.matrices.values())
    sparsity = 1 - sum(int(weight.values.count_nonzero()) for weight in model.matrices.values()) / total
    return [Variant(None, DENSE, by_dtype), Variant(sparsity, OWN_MASK, by_dtype)]


def random(model: str, scale: str, sparsity: Sequence[float]) -> list[Variant]:
    """Returns a network of conf/model with random weights (seed 0): dense, and with random masks on all matrices."""
    config = compose_config([f"model={model}", f"scale={scale}", "prune=none"])
    kept = recorded(config, "")
    torch.manual_seed(0)
    state = DeepSpeech2(config.model).eval().state_dict()
    mean, deviation = torch.zeros(BINS), torch.ones(BINS)

    def variant(target: float | None) -> Variant:
        own = state if target is None else {name: _thinned(value, target) for name, value in state.items()}
        mask = DENSE if target is None else UNSTRUCTURED
        return Variant(target, mask, {dtype: pack(own, kept, dtype, mean, deviation) for dtype in Dtype})

    return [variant(target) for target in (None, *sparsity)]


def _thinned(value: Tensor, sparsity: float) -> Tensor:
    return value * (torch.rand_like(value) >= sparsity) if value.dim() == 2 else value
