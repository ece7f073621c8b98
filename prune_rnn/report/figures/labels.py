"""Labels beside their points that cover neither points, lines nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

Boxes = NDArray[np.float64]  # (boxes, 4)
_ROOM = 5.0  # points from a point to its label
_DIRECTIONS = [(1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1)]
_SIDES = {1: "left", -1: "right", 0: "center"}
_LEVELS = {1: "bottom", -1: "top", 0: "center"}
_APART = 6.0  # pixels between the boxes that stand for a line
_FAR = (1, 3, 5, 8)  # times the room; beyond the first with a line to the point


def label_points(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    bars: Sequence[tuple[float, float]],
    colours: Sequence[str] = (),
) -> list[Annotation]:
    """Writes each text near its point, inside the axes, where it covers the least of points, bars, lines and labels.

    bars: (low, high) of the vertical bar through each point. colours: of the texts; none: black.
    """
    figure = cast(Figure, axes.figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # layout and limits are final from here on
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    figure.set_layout_engine("none")
    inside = axes.get_window_extent()
    markers, stems = [], []
    for (x, y), (low, high) in zip(points, bars, strict=True):
        across, *ups = axes.transData.transform([(x, y), (x, low), (x, high)])
        markers.append(Bbox.from_bounds(across[0] - 7, across[1] - 7, 14, 14))
        stems.append(Bbox.from_extents(across[0] - 5, ups[0][1] - 2, across[0] + 5, ups[1][1] + 2))
    drawn = _array([*markers, *stems, *_drawn_lines(axes)])
    shown = [text.get_window_extent(renderer) for text in axes.texts]
    notes = []
    for number, (point, text) in enumerate(zip(points, texts, strict=True)):
        # a line to a label may run along its own point's bar
        others = _array([*markers[:number], *markers[number + 1 :], *stems[:number], *stems[number + 1 :], *shown])
        labels = _array(shown)
        candidates = [(far, dx, dy) for far in _FAR for dx, dy in _DIRECTIONS]
        costs = []
        for candidate in candidates:
            note = _annotate(axes, text, point, *candidate)
            box = _box(note, renderer)
            note.remove()
            outside = box.width * box.height - _shared(box, _array([inside]))
            covered = _shared(box, drawn) + 3 * _shared(box, labels)
            line = _line(axes, point, box) if candidate[0] > 1 else []
            covered += sum(_shared(part, others) for part in line)
            costs.append(covered + 10 * outside + 20 * candidate[0])
        notes.append(_annotate(axes, text, point, *candidates[costs.index(min(costs))]))
        notes[-1].set_color(colours[number] if colours else "black")
        shown.append(_box(notes[-1], renderer))
        if notes[-1].arrow_patch is not None:
            shown += _line(axes, point, shown[-1])
    return notes


def _drawn_lines(axes: Axes) -> list[Bbox]:
    """Returns small boxes along all lines of the axes, in pixels."""
    boxes = []
    for line in axes.get_lines():
        for (x, y), (to_x, to_y) in pairwise(axes.transData.transform(line.get_xydata())):
            steps = max(1, int(max(abs(to_x - x), abs(to_y - y)) // _APART))
            centres = [(x + part * (to_x - x) / steps, y + part * (to_y - y) / steps) for part in range(steps + 1)]
            boxes += [Bbox.from_bounds(px - _APART / 2, py - _APART / 2, _APART, _APART) for px, py in centres]
    return boxes


def _annotate(axes: Axes, text: str, point: tuple[float, float], far: int, dx: int, dy: int) -> Annotation:
    return axes.annotate(
        text,
        point,
        xytext=(far * _ROOM * dx, far * _ROOM * dy),
        textcoords="offset points",
        ha=_SIDES[dx],
        va=_LEVELS[dy],
        fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.6, "pad": 0.5},
        arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": "#777777"} if far > 1 else None,
    )


def _box(note: Annotation, renderer: RendererAgg) -> Bbox:
    """Returns the extent of the text alone; the annotation's own takes in the line."""
    note.update_positions(renderer)
    return Text.get_window_extent(note, renderer)


def _line(axes: Axes, point: tuple[float, float], box: Bbox) -> list[Bbox]:
    """Returns small boxes along the line from near a point to the middle of its label, without its ends."""
    (x, y), (to_x, to_y) = axes.transData.transform(point), ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    steps = [(x + part * (to_x - x), y + part * (to_y - y)) for part in np.arange(0.25, 0.95, 0.1)]
    return [Bbox.from_bounds(px - 3, py - 3, 6, 6) for px, py in steps if not box.contains(px, py)]


def _array(boxes: Sequence[Bbox]) -> Boxes:
    """Returns left, bottom, right and top of each."""
    return np.array([box.extents for box in boxes]).reshape(len(boxes), 4)


def _shared(one: Bbox, others: Boxes) -> float:
    """Returns the areas that a box shares with each of the others, together, in square pixels."""
    wide = np.minimum(one.x1, others[:, 2]) - np.maximum(one.x0, others[:, 0])
    high = np.minimum(one.y1, others[:, 3]) - np.maximum(one.y0, others[:, 1])
    return float((wide.clip(0) * high.clip(0)).sum())
