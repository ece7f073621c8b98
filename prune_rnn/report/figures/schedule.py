"""Threshold and sparsity over the steps of one run of each sparse model: the paper's Figure 2b."""

from __future__ import annotations

from matplotlib.figure import Figure

from prune_rnn.report.figures.style import NAMES, Material, Plot, legend, panels, pruning_phase

_QUANTITIES = {"threshold": ("threshold on |w|", 1.0), "sparsity": ("sparsity, %", 100.0)}
_LINES = {"recurrent": "-", "linear": "--"}


def draw(material: Material) -> Figure | None:
    """Returns one column of panels per family; None without a sparse model."""
    families = material.families(pruned_only=True)
    if not families:
        return None
    figure, axes = panels(2, len(families), 5.6, sharex="col", sharey="row")
    for column, (family, rows) in enumerate(families.items()):
        for line, (quantity, (label, factor)) in enumerate(_QUANTITIES.items()):
            panel = axes[line][column]
            for index, row in enumerate(rows):
                run = min(row.runs, key=lambda run: run.seed)
                history = run.history()
                if index == 0:
                    pruning_phase(panel, row, history["step"].iloc[-1] / history["epoch"].iloc[-1])
                colour, marker = material.colour(row)
                for layer_type, style in _LINES.items():
                    if f"{quantity}_{layer_type}" in history:
                        panel.plot(
                            history["step"],
                            factor * history[f"{quantity}_{layer_type}"],
                            style,
                            color=colour,
                            marker=marker,
                            markevery=(index, max(3, len(rows))),  # thresholds that coincide still show all markers
                            label=row.label if style == "-" else None,
                        )
            if column == 0:
                panel.set_ylabel(label)
            panel.set_ylim(bottom=0)
        axes[0][column].set_title(NAMES.get(family, family))
        axes[1][column].set_xlabel("step")
        axes[1][column].locator_params(axis="x", nbins=5)
    for column, (layer_type, style) in enumerate(_LINES.items()):
        panel = axes[0][min(column, len(families) - 1)]
        panel.plot([], [], style, color="#555555", label=f"{layer_type} layers")
    legend(figure, axes[0], 2)
    return figure


PLOT = Plot(
    "schedule",
    "Threshold and sparsity over training",
    "The threshold and what it leads to, at the end of each epoch, in the run of the lowest seed of each sparse "
    "model; solid: recurrent layers, dashed: linear ones. Grey: the steps of pruning. The paper's "
    "Figure 2b.",
    draw,
)
