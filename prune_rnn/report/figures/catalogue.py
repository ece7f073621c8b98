"""All figures, and how they come to their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prune_rnn.report.figures import calibration, ctc_cost, frontier, layer_sparsity, overview, schedule
from prune_rnn.report.figures.style import Material, Plot, save, settings

FIGURES = [overview.PLOT, ctc_cost.PLOT, layer_sparsity.PLOT, schedule.PLOT, frontier.PLOT, calibration.PLOT]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure and its files."""

    plot: Plot
    png: Path
    svg: Path


def draw_all(material: Material, folder: Path, suffix: str) -> tuple[list[Drawn], list[str]]:
    """Writes every figure that there are runs for to `folder`; returns them, and the names of the others."""
    drawn, skipped = [], []
    with settings():
        for plot in FIGURES:
            figure = plot.draw(material)
            if figure is None:
                skipped.append(plot.name)
            else:
                drawn.append(Drawn(plot, *save(figure, folder / f"{plot.name}_{suffix}")))
    return drawn, skipped
