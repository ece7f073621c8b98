"""The layers and parameters of a network, from its shapes alone; and its predicted sparsity, size and CER."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from tabulate import tabulate

from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import ModelConfig, meta_model
from prune_rnn.model.layers import layers
from prune_rnn.predict import printed
from prune_rnn.predict.forecast import forecast
from prune_rnn.predict.setting import pruned
from prune_rnn.prune.select import select


class Size(NamedTuple):
    """A layer: the shapes of its matrices, its number of parameters, and how many of them can be pruned."""

    layer: str
    shapes: str
    parameters: int
    prunable: int


def sizes(config: ModelConfig, prunable: Collection[str] | None = None) -> list[Size]:
    """Returns the size of each layer of a network, and of all together.

    prunable: names of the weights that can be pruned; None: those of `model.prunable`.
    """
    model = meta_model(config)
    if prunable is None:
        prunable = {name for group in select(model, config.prunable).values() for name in group}
    found = []
    for layer, named in layers(model):
        shapes = ", ".join(" x ".join(map(str, p.shape)) for _, p in named if p.dim() > 1)
        counts = {name: p.numel() for name, p in named}
        found.append(
            Size(layer, shapes, sum(counts.values()), sum(counts[name] for name in counts if name in prunable))
        )
    return [*found, Size("all", "", sum(each.parameters for each in found), sum(each.prunable for each in found))]


def describe(config: Config) -> str:
    """Returns the table of the network's layers, then what `prune-rnn predict` prints of sparsity, size and CER."""
    head = f"{config.model.name}, {config.model.units} units, scale {config.scale.name}"
    columns = ["layer", "matrices", "parameters", "prunable"]
    of = forecast(config)
    prunable = pruned(of.config) if of.config.prune.prunes else None
    table = tabulate(sizes(config.model, prunable), columns, tablefmt="simple", intfmt=",")
    return f"{head}\n\n{table}\n\n{printed.lines(printed.known(of))}"
