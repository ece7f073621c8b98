"""The style of all figures: colours, markers and sizes; and files that are the same bytes for the same runs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.rows import Row
from prune_rnn.files import write_atomically

WIDTH = 5.4  # inches: the text is still legible on a phone, and in a column of print
# Okabe and Ito's colours, which differ for the colour-blind too; those too pale for thin lines on white are left out
BLACK, BLUE, VERMILLION, GREEN, PURPLE = "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SPARSE = (BLUE, VERMILLION, GREEN, PURPLE)  # by index among a family's sparse models
MARKERS = ("o", "s", "^", "D", "v")
_SETTINGS: Any = {  # its type lists all of matplotlib's settings by name
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.dpi": 200,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "svg.hashsalt": "prune-rnn",
    "svg.fonttype": "path",
}
NAMES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}


@dataclass(frozen=True, slots=True)
class Material:
    """The data of figures: the table's rows, whose runs agree, and all runs on the same data."""

    rows: Sequence[Row]
    runs: Sequence[Finished]

    def families(self, *, pruned_only: bool) -> dict[str, list[Row]]:
        """Returns the rows that have a run, by family."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.runs and (row.sparse or not pruned_only):
                found.setdefault(row.family, []).append(row)
        return found

    def baseline(self, family: str) -> Row:
        """Returns the family's first row, with runs or without."""
        return next(row for row in self.rows if row.family == family)

    def colour(self, row: Row) -> tuple[str, str]:
        """Returns (colour, marker): the same in every figure; black where dense."""
        if not row.sparse:
            return BLACK, "x"
        index = [other.label for other in self.rows if other.family == row.family and other.sparse].index(row.label)
        return SPARSE[index % len(SPARSE)], MARKERS[index % len(MARKERS)]


@dataclass(frozen=True, slots=True)
class Plot:
    """One figure: `draw` returns it, or None where there are no runs for it."""

    name: str
    title: str
    caption: str
    draw: Callable[[Material], Figure | None]


@contextmanager
def settings() -> Iterator[None]:
    """Draws in the house's style, whatever the user's own matplotlib settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def panels(rows: int, columns: int, height: float, **keywords: Any) -> tuple[Figure, list[list[Axes]]]:
    """Returns a figure `height` inches high, and its axes by row and column."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **keywords).tolist()


def legend(figure: Figure, panels: Sequence[Axes], columns: int) -> None:
    """Puts one legend below all panels, with the labels of the given ones, each once."""
    shown = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(shown.values()),
        list(shown),
        loc="outside lower center",
        ncols=columns,
        handlelength=2.6,
        columnspacing=1.5,
    )


def log_sizes(axes: Axes, subs: Sequence[float]) -> None:
    """Gives the x axis a logarithmic scale for numbers of parameters, with ticks at `subs` times powers of ten."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())


def pruning_phase(axes: Axes, row: Row, scale: float = 1.0) -> None:
    """Shades the epochs (times `scale`) in which a pruned row's thresholds rise."""
    if phase := row.config.prune.phase():
        axes.axvspan(scale * phase[0], scale * phase[1], color="#EEEEEE", zorder=0, linewidth=0)


def save(figure: Figure, base: Path) -> tuple[Path, Path]:
    """Writes `base`.png and `base`.svg, without a date or version, and returns their paths."""
    written = []
    for form, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
        content = io.BytesIO()
        figure.savefig(content, format=form, metadata=metadata)
        path = base.with_name(f"{base.name}.{form}")
        write_atomically(path, content.getvalue())
        written.append(path)
    return written[0], written[1]
