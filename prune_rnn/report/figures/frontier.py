"""Test CER against the parameters that are not zero: dense networks of all widths, and pruned ones of each width."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prune_rnn.analyse.agreement import conditions
from prune_rnn.analyse.finished import Finished
from prune_rnn.report.figures.labels import label_points
from prune_rnn.report.figures.style import BLACK, MARKERS, NAMES, SPARSE, Material, Plot, legend, log_sizes, panels
from prune_rnn.run.identity import family

_EPOCHS = ("start_epoch", "ramp_epoch", "end_epoch")
_DASHES = ("--", ":", "-.")  # of lines of the same width, pruned otherwise than the table's
_HIGHEST = 1.15  # times the greatest dense CER: points above this are written at the edge


@dataclass(frozen=True, slots=True)
class Point:
    """Runs that differ in the seed only. cer: of each run, in percent. size: mean number of nonzero parameters."""

    text: str
    size: float
    cer: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the CER."""
        return statistics.mean(self.cer)


def lines(material: Material) -> dict[str, dict[str, list[Point]]]:
    """Returns, by family and line, the points by size: the dense networks, then the pruned ones of each width.

    A run counts if it has the model, the training and, but for sparsity and epochs, the pruning of one of the table's
    rows, at any width. Runs under other conditions (`agreement`) than the first run of their point make a point of
    their own.
    """
    named: dict[str, dict[str, dict[str, list[Finished]]]] = {}
    for run in sorted(material.runs, key=lambda run: (run.config.prune.prunes, run.config.model.units, run.seed)):
        row = next((row for row in material.rows if row.model == run.config.model.name), None)
        if row is None or family(run.config.identity) != family(row.config.identity):
            continue
        mine, theirs = run.config.identity["prune"], row.config.identity["prune"]
        if _method(mine) != _method(theirs):
            continue
        units, sparse = run.config.model.units, run.config.prune.prunes
        epochs = {key: mine[key] for key in mine if key in _EPOCHS}
        late = any(epochs[key] != theirs[key] for key in epochs)
        words = [f"epochs {', '.join(f'{epoch:g}' for epoch in epochs.values())}"] if late else []
        line = ", ".join([f"{units} units", *words]) if sparse else "dense"
        text = f"{100 * run.result.sparsity:.3g} %" if sparse else f"{units}"
        points = named.setdefault(row.family, {}).setdefault(line, {})
        points.setdefault(", ".join([text, *_odd(run, points.get(text, []))]), []).append(run)
    return {
        family: {line: sorted(map(_point, points.items()), key=lambda p: p.size) for line, points in of_family.items()}
        for family, of_family in named.items()
    }


def _method(prune: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what determines the pruning, without its epochs and its target."""
    return {key: value for key, value in prune.items() if key not in _EPOCHS and "sparsity" not in key}


def _odd(run: Finished, others: Sequence[Finished]) -> list[str]:
    """Returns the conditions in which a run differs from those at its point."""
    own = conditions(run)
    return [f"{key} {own[key]}" for key in own if others and key != "q" and own[key] != conditions(others[0])[key]]


def _point(named: tuple[str, list[Finished]]) -> Point:
    text, runs = named
    return Point(text, statistics.mean(r.result.nonzero for r in runs), tuple(100 * run.cer for run in runs))


def draw(material: Material) -> Figure | None:
    """Returns a panel per family; None without a run."""
    found = lines(material)
    if not found:
        return None
    figure, axes = panels(len(found), 1, 1.2 + 4.0 * len(found))
    shown = [(panel, _panel(panel, family, found[family])) for family, [panel] in zip(sorted(found), axes, strict=True)]
    legend(figure, [panel for [panel] in axes], 2)
    for panel, all_points in shown:
        # lines of one width have points of one sparsity, one above the other
        rising = sorted(all_points, key=lambda shown: shown[0].mean)  # of equal keys the last one stays
        points = {(point.text, round(point.size)): (point, colour) for point, colour in rising}.values()
        positions = [(point.size, point.mean) for point, _ in points]
        bars = [(min(point.cer), max(point.cer)) for point, _ in points]
        label_points(panel, positions, [point.text for point, _ in points], bars, [colour for _, colour in points])
    return figure


def _panel(axes: Axes, family: str, found: dict[str, list[Point]]) -> list[tuple[Point, str]]:
    """Draws a family's lines, and returns the points inside the axes, each with its colour."""
    dense = [point.mean for point in found.get("dense", [])]
    highest = _HIGHEST * max(dense) if dense else float("inf")
    inside: list[tuple[Point, str]] = []
    above: list[tuple[Point, str]] = []
    for (line, points), style in zip(found.items(), _styles(found), strict=True):
        colour = style["color"]
        within = [point for point in points if point.mean <= highest]
        for point in within:
            axes.vlines(point.size, min(point.cer), max(point.cer), color=colour, linewidth=1.2)
        label = f"{NAMES.get(family, family)} {line}"
        sizes, means = [point.size for point in within], [point.mean for point in within]
        axes.plot(sizes, means, linewidth=1.0, label=label, **style)
        inside += [(point, colour) for point in within]
        above += [(point, colour) for point in points if point.mean > highest]
    log_sizes(axes, (1, 2, 5))
    axes.margins(x=0.12, y=0.12)
    for point, colour in above:
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, point.size / 1.3), max(high, point.size * 1.3))
        text = f"{point.text}: {point.mean:.1f} \N{UPWARDS ARROW}"
        axes.annotate(text, (point.size, 0.97), xycoords=("data", "axes fraction"), color=colour, va="top")
    axes.set_ylabel("test CER, %")
    axes.set_xlabel("parameters that are not zero")
    axes.set_title(NAMES.get(family, family))
    return inside


def _styles(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yields the style of each line: a colour and marker for each width, dashed where the pruning differs."""
    otherwise: dict[str, int] = {}  # lines so far, by width
    for line in lines:
        if line == "dense":
            yield {"color": BLACK, "marker": "o", "markerfacecolor": "white", "linestyle": "-"}
            continue
        width, other, _ = line.partition(",")
        number = otherwise.setdefault(width, 0)
        index = list(otherwise).index(width)
        colour, marker = SPARSE[index % len(SPARSE)], MARKERS[index % len(MARKERS)]
        face, dashes = ("white", _DASHES[number % len(_DASHES)]) if other else (colour, "-")
        otherwise[width] += bool(other)
        yield {"color": colour, "marker": marker, "markerfacecolor": face, "linestyle": dashes}


PLOT = Plot(
    "frontier",
    "Error against size",
    "CER of the test split against the parameters that are not zero, of the finished runs that were trained as the "
    "table's: dense networks by their units, pruned ones by their sparsity (epochs: start, ramp and end of pruning, "
    "where they are not the table's); mean over seeds, bars from the least to the greatest, none where there is one "
    "seed. A label has the colour of its line. Lower and further to the left is better. What lies far above is "
    "written at the edge.",
    draw,
)
