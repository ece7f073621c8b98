"""Predicted against measured CER, each network left out in turn, with its interval."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from prune_rnn.predict import networks
from prune_rnn.predict.interval import by_networks
from prune_rnn.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    MARKERS,
    NAMES,
    PURPLE,
    VERMILLION,
    Material,
    Plot,
    legend,
    panels,
)

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE)


def draw(material: Material) -> Figure | None:
    """Returns one panel; None without runs whose CER the others say anything about."""
    if not material.runs:
        return None
    everything = by_networks(networks.known(material.runs[0].folder.parents[1]))
    found = [(n, everything.left_out(n.setting).of(n.setting, n.seeds)) for n in networks.of_runs(material.runs)]
    found = [(network, expected) for network, expected in found if not expected.vague]
    if not found:
        return None
    cells = sorted({network.setting.cell for network, _ in found})
    figure, [[panel]] = panels(1, 1, 4.6)
    ends: list[float] = []
    for index, cell in enumerate(cells):
        for dense in (True, False):
            own = [(n, e) for n, e in found if n.setting.cell == cell and (n.setting.density == 1) == dense]
            if not own:
                continue
            x, y = [100 * math.exp(n.log_cer) for n, _ in own], [100 * e.cer for _, e in own]
            lengths = [[100 * (e.cer - e.low) for _, e in own], [100 * (e.high - e.cer) for _, e in own]]
            panel.errorbar(
                x,
                y,
                lengths,
                fmt=MARKERS[index % len(MARKERS)],
                color=_COLOURS[index % len(_COLOURS)],
                markerfacecolor="none" if dense else None,
                markersize=4,
                elinewidth=0.8,
                label=f"{NAMES.get(cell, cell)}, {'dense' if dense else 'pruned'}",
            )
            ends += [*x, *y]
    line = [min(ends) - 1, max(ends) + 1]
    panel.plot(line, line, color=BLACK, linewidth=0.8)
    panel.set_xlabel("measured test CER, %")
    panel.set_ylabel("predicted, %")
    legend(figure, [panel], 2)
    return figure


PLOT = Plot(
    "calibration",
    "Predicted and measured CER",
    "Each network as the law of all others predicts it, with the 90 % interval, against the mean of its runs. On the "
    "line both are equal.",
    draw,
)
