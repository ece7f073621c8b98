"""The paper's Table 2: layers and parameters of a network, from its shapes alone, and what it will be when trained."""

from __future__ import annotations

from tabulate import tabulate

from prune_rnn.config import Config
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.model.layers import layers
from prune_rnn.predict import printed
from prune_rnn.predict.forecast import forecast
from prune_rnn.prune.select import select


def describe(config: Config) -> str:
    """Returns the layer table of the network: shapes of the matrices, parameters, and how many can be pruned; then
    the sparsity, size and error to expect, as `prune-rnn predict` has them."""
    model = meta_model(config.model)
    prunable = {name for group in select(model, config.model.prunable).values() for name in group}
    rows = []
    for layer, named in layers(model):
        shapes = ", ".join(" x ".join(map(str, p.shape)) for _, p in named if p.dim() > 1)
        sizes = {name: p.numel() for name, p in named}
        rows.append((layer, shapes, sum(sizes.values()), sum(sizes[name] for name in sizes.keys() & prunable)))
    rows.append(("all", "", sum(row[2] for row in rows), sum(row[3] for row in rows)))
    head = f"{config.model.name}, {config.model.units} units, scale {config.scale.name}"
    table = tabulate(rows, ["layer", "matrices", "parameters", "prunable"], tablefmt="simple", intfmt=",")
    return f"{head}\n\n{table}\n\n{printed.lines(printed.known(forecast(config)))}"
