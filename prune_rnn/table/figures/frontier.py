"""Test CER against the parameters that are not zero, of every finished run on the same data."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from prune_rnn.prune.q import GIVEN
from prune_rnn.table.agreement import conditions
from prune_rnn.table.figures.labels import label_points
from prune_rnn.table.figures.style import BLACK, NAMES, VERMILLION, Material, Plot, legend, panels
from prune_rnn.table.finished import Finished
from prune_rnn.table.rows import Row
from prune_rnn.typed import Plain

_MARKERS = {"rnn": "s", "gru": "o"}


def groups(material: Material) -> dict[str, list[Finished]]:
    """Returns the runs that differ in the seed only, under a label that tells them from the others."""
    named: dict[str, list[Finished]] = {}
    for run in material.runs:
        named.setdefault(_label(run, material.rows), []).append(run)
    told: dict[str, list[Finished]] = {}
    for label, runs in named.items():
        each = [conditions(run) for run in runs]
        differing = [key for key in each[0] if len({its[key] for its in each}) > 1]
        for run, its in zip(runs, each, strict=True):
            told.setdefault(", ".join([label, *(f"{key} {its[key]}" for key in differing)]), []).append(run)
    return told


def _label(run: Finished, rows: Sequence[Row]) -> str:
    """Returns the row's label, and what the run's settings change about the row."""
    model, own = run.config.model.name, _flat(run.config.identity)
    row = next((row for row in rows if row.model == model), None)
    if row is None:
        return f"{model}, {own['model.units']} units"
    default = _flat(row.config.identity)
    skipped = {"seed"} if run.result.q_source == GIVEN else {"seed", "prune.q"}
    skipped.add("prune.prunable_sparsity")  # told as the network's sparsity, below
    changed = {key: own.get(key) for key in sorted(own.keys() | default.keys()) if own.get(key) != default.get(key)}
    parts = [f"{key.rpartition('.')[2]} {value}" for key, value in changed.items() if not _covers(skipped, key)]
    if "prune.prunable_sparsity" in changed:
        parts.append(f"{100 * run.result.sparsity:.0f} % sparse")
    return ", ".join([row.label, *parts])


def _covers(skipped: set[str], key: str) -> bool:
    return any(f"{key}.".startswith(f"{one}.") for one in skipped)


def _flat(plain: Plain, before: str = "") -> Plain:
    """Returns nested values under their keys in dots.

    >>> _flat({"prune": {"q": {"linear": 0.2}}, "seed": 0})
    {'prune.q.linear': 0.2, 'seed': 0}
    """
    flat: Plain = {}
    for key, value in plain.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


def draw(material: Material) -> Figure | None:
    """Returns the figure; None without a run."""
    if not material.runs:
        return None
    figure, [[axes]] = panels(1, 1, 6.2)
    points, labels, bars = [], [], []
    for label, runs in groups(material).items():
        sizes, rates = [run.result.nonzero for run in runs], [100 * run.cer for run in runs]
        cell, sparse = runs[0].config.model.cell.name, runs[0].config.prune.prunes
        colour = VERMILLION if sparse else BLACK
        point = statistics.mean(sizes), statistics.mean(rates)
        axes.vlines(point[0], min(rates), max(rates), color=colour, linewidth=1.2)
        axes.plot(sizes, rates, "_", color=colour, markersize=6)
        axes.plot(
            *point,
            marker=_MARKERS.get(cell, "D"),
            linestyle="",
            color=colour,
            markerfacecolor=colour if sparse else "white",
            markersize=7,
            label=f"{NAMES.get(cell, cell)}, {'sparse' if sparse else 'dense'}",
        )
        points.append(point)
        labels.append(label)
        bars.append((min(rates), max(rates)))
    axes.set_xscale("log")
    axes.margins(x=0.2, y=0.1)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("parameters that are not zero")
    axes.set_ylabel("test CER, %")
    legend(figure, [axes], 2)
    label_points(axes, points, labels, bars)
    return figure


def _short(number: float) -> str:
    """
    >>> _short(50_000.0), _short(1_000_000.0), _short(500.0)
    ('50 k', '1 M', '500')
    """
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"


PLOT = Plot(
    "frontier",
    "Error against size",
    "CER of the test split against the parameters that are not zero, of every finished run of this scale on this data: "
    "mean over seeds, one dash a seed. Lower and further to the left is better.",
    draw,
)
