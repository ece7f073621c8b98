"""The final sparsity of each layer of the sparse models: the paper's Figure 2a."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from prune_rnn.analyse.rows import Row
from prune_rnn.model.layers import RECURRENT
from prune_rnn.report.figures.style import NAMES, Material, Plot, legend, panels


def by_layer(row: Row) -> pd.DataFrame:
    """Returns mean, min and max over the row's seeds in percent, by layer, of the layers that are pruned."""
    layers = [
        {name: 100 * layer.sparsity for name, layer in run.result.layers.items() if layer.prunable} for run in row.runs
    ]
    return pd.DataFrame(layers).agg(["mean", "min", "max"]).T


def draw(material: Material) -> Figure | None:
    """Returns one panel per family; None without a sparse model."""
    families = material.families(pruned_only=True)
    if not families:
        return None
    figure, axes = panels(len(families), 1, 1.2 + 2.4 * len(families), sharey="col")
    for (family, rows), [panel] in zip(families.items(), axes, strict=True):
        layers = list(by_layer(rows[0]).index)
        for index, row in enumerate(rows):
            colour, marker = material.colour(row)
            sparsity = by_layer(row)
            positions = [x + 0.16 * (index - (len(rows) - 1) / 2) for x in range(len(sparsity))]
            panel.vlines(positions, sparsity["min"], sparsity["max"], color=colour)
            panel.plot(positions, sparsity["mean"], color=colour, marker=marker, linewidth=0.8, label=row.label)
        panel.set_xticks(range(len(layers)), [name.replace(f"{RECURRENT}.", "rec. ") for name in layers])
        panel.grid(False, axis="x")
        panel.set_title(NAMES.get(family, family))
        panel.set_ylabel("sparsity, %")
    axes[-1][0].set_xlabel("layer, from input to output")
    legend(figure, [panel for [panel] in axes], 2)
    return figure


PLOT = Plot(
    "layer_sparsity",
    "Sparsity of each layer",
    "Final sparsity of each pruned layer (zeros of all its parameters): mean over seeds, bars from the least to the "
    "greatest. The paper's Figure 2a.",
    draw,
)
