"""The table's rows in one picture: test CER against size, dense networks joined by a line, sparse ones by another."""

from __future__ import annotations

import statistics

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prune_rnn.analyse.rows import Row
from prune_rnn.report.figures.labels import label_points
from prune_rnn.report.figures.style import BLACK, GREEN, NAMES, Material, Plot, legend, log_sizes, panels


def draw(material: Material) -> Figure | None:
    """Returns a panel per family, side by side; None where no row has a run."""
    found = material.families(pruned_only=False)
    if not found:
        return None
    figure, [axes] = panels(1, len(found), 3.4, sharey=True)
    for panel, (family, rows) in zip(axes, found.items(), strict=True):
        _panel(panel, rows)
        panel.set_title(NAMES.get(family, family))
        panel.set_xlabel("parameters that are not zero")
    axes[0].set_ylabel("test CER, % (lower is better)")
    legend(figure, axes, 2)
    for panel, rows in zip(axes, found.values(), strict=True):
        texts = [row.label.removesuffix(" Baseline").split()[-1] for row in rows]
        label_points(panel, [_place(row) for row in rows], texts, [(min(_cers(row)), max(_cers(row))) for row in rows])
    return figure


def _panel(axes: Axes, rows: list[Row]) -> None:
    for sparse, label, colour, marker in ((False, "dense", BLACK, "o"), (True, "pruned", GREEN, "^")):
        of_kind = sorted((row for row in rows if row.sparse is sparse), key=_place)
        for row in of_kind:
            axes.vlines(_place(row)[0], min(_cers(row)), max(_cers(row)), color=colour, linewidth=1.2)
        if of_kind:
            sizes, means = zip(*map(_place, of_kind), strict=True)
            axes.plot(sizes, means, label=label, color=colour, marker=marker)
    axes.margins(x=0.42, y=0.14)
    log_sizes(axes, (1, 3))


def _cers(row: Row) -> list[float]:
    return [100 * run.cer for run in row.runs]


def _place(row: Row) -> tuple[float, float]:
    """Returns the mean of the parameters that are not zero, and the mean CER in percent."""
    return statistics.mean(run.result.nonzero for run in row.runs), statistics.mean(_cers(row))


PLOT = Plot(
    "overview",
    "What pruning costs, and what bigger networks win back",
    "CER of the test split against the parameters that are not zero, for the rows of Table 3: mean over seeds, bars "
    "from the least to the greatest. A pruned network below the dense line is better than a dense one of its size.",
    draw,
)
