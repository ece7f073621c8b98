"""Labels keep clear of each other where there is room."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from prune_rnn.report.figures.labels import label_points


def test_labels_of_close_points_stay_apart_and_inside() -> None:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    points = [(1.0, 1.0), (1.02, 1.01), (1.04, 0.99), (2.0, 2.0)]
    axes.plot(*zip(*points, strict=True), "o")
    axes.margins(0.3)
    notes = label_points(
        axes, points, ["the first", "the second", "the third", "at the edge"], [(y, y) for _, y in points]
    )
    FigureCanvasAgg(figure).draw()
    boxes = [note.get_bbox_patch().get_window_extent() for note in notes]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    inside = axes.get_window_extent()
    assert all(inside.x0 < box.x0 and box.x1 < inside.x1 and inside.y0 < box.y0 and box.y1 < inside.y1 for box in boxes)


def test_a_label_keeps_off_a_line() -> None:
    figure = Figure(figsize=(4, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([0.0, 1.0, 2.0], [1.0, 1.0, 1.0])  # to both sides of the label's point
    axes.margins(0.3)
    [note] = label_points(axes, [(1.0, 1.0)], ["a label"], [(1.0, 1.0)])
    box, [_, y] = note.get_window_extent(), axes.transData.transform((1.0, 1.0))
    assert box.y0 > y or box.y1 < y
