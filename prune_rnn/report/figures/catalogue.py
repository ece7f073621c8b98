"""All figures, and how they come to their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prune_rnn.report.base import Table
from prune_rnn.report.figures import calibration, ctc_cost, frontier, intervals, layer_sparsity, overview, schedule
from prune_rnn.report.figures.style import Material, Plot, save, settings

FIGURES = [overview.PLOT, ctc_cost.PLOT, layer_sparsity.PLOT, schedule.PLOT, frontier.PLOT, calibration.PLOT]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure and its files."""

    plot: Plot
    png: Path
    svg: Path


def draw_all(material: Material, tables: Sequence[Table], folder: Path, suffix: str) -> tuple[list[Drawn], list[str]]:
    """Writes every figure that there are runs for to `folder`; returns them, and the names of the others.

    tables: those whose intervals are drawn; their names end with the suffix already.
    """
    named = [(f"{plot.name}_{suffix}", plot) for plot in FIGURES]
    named += [(plot.name, plot) for plot in intervals.plots(tables)]
    drawn, skipped = [], []
    with settings():
        for name, plot in named:
            figure = plot.draw(material)
            if figure is None:
                skipped.append(plot.name)
            else:
                drawn.append(Drawn(plot, *save(figure, folder / name)))
    return drawn, skipped
