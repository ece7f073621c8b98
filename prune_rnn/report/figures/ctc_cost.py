"""The CTC cost of train and dev by epoch, dense against sparse: the paper's Figure 1."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from prune_rnn.analyse.rows import Row
from prune_rnn.report.figures.style import NAMES, Material, Plot, legend, panels, pruning_phase

_SPLITS = {"train_loss": "train", "dev_loss": "dev"}


def by_epoch(row: Row, column: str) -> pd.DataFrame:
    """Returns mean, min and max over the row's seeds, by epoch, of the epochs that all of the seeds have."""
    each = pd.concat([run.history().set_index("epoch")[column] for run in row.runs], axis=1, join="inner")
    return each.agg(["mean", "min", "max"], axis=1)


def draw(material: Material) -> Figure | None:
    """Returns one column of panels per family; None where no family has both its baseline and a sparse model."""
    families = material.families(pruned_only=True)
    families = {family: rows for family, rows in families.items() if material.baseline(family).runs}
    if not families:
        return None
    figure, axes = panels(2, len(families), 5.6, sharex="col", sharey="row")
    for column, (family, sparse) in enumerate(families.items()):
        for line, (key, split) in enumerate(_SPLITS.items()):
            panel = axes[line][column]
            pruning_phase(panel, sparse[0])
            for row in (material.baseline(family), *sparse):
                colour, marker = material.colour(row)
                curve = by_epoch(row, key)
                panel.fill_between(curve.index, curve["min"], curve["max"], color=colour, alpha=0.2, linewidth=0)
                panel.plot(
                    curve.index,
                    curve["mean"],
                    color=colour,
                    marker=marker if row.sparse else "",
                    markevery=(2, 5),
                    label=row.label,
                )
            panel.set_title(f"{NAMES.get(family, family)}: CTC cost, {split}")
            panel.set_ylim(bottom=0)
            panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes[1][column].set_xlabel("epoch")
    for first, *_ in axes:
        first.set_ylabel("nats per utterance")
    legend(figure, axes[0], 2)
    return figure


PLOT = Plot(
    "ctc_cost",
    "CTC cost by epoch",
    "CTC cost by epoch, in nats per utterance, of the dense baseline and the sparse models: mean over seeds, the band "
    "from the least to the greatest. Grey: the epochs of pruning. The paper's Figure 1.",
    draw,
)
