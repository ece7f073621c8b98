"""Intervals of a table: one row each, filled where zero is outside; a panel for each comparison that has one."""

from prune_rnn.report.base import DASH, Cell, Table
from prune_rnn.report.figures.intervals import plots
from prune_rnn.report.figures.style import BLUE, Material, settings


def row(label: str, relative: tuple[float, float, float] | None, against: tuple[float, float, float] | None) -> dict:
    cells = {"label": Cell(label, label=label)}
    for head, name, values in (
        ("relative %", "relative", relative),
        ("against gradual pruning %", "against_relative", against),
    ):
        names = (name, f"{name}_low", f"{name}_high")
        cells[head] = Cell("", **dict(zip(names, values or (None, None, None), strict=True)))
    return cells


ROWS = [
    row("gradual", (-0.2, -0.25, -0.15), None),
    row("blocks", (-0.3, -0.4, -0.2), (-0.1, -0.16, -0.04)),
    row("cubic", (-0.21, -0.26, -0.16), (0.01, -0.03, 0.05)),
    row("without a run", None, None),
]


def test_a_row_for_each_comparison_filled_where_zero_is_outside() -> None:
    (plot,) = plots([Table(name="methods_small", title="Methods", rows=ROWS)])
    with settings():
        figure = plot.draw(Material([], []))
    assert figure is not None and plot.name == "methods_small"
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["gradual", "blocks", "cubic"]
    assert left.get_title() == "against the\nbaseline" and right.get_title() == "against gradual\npruning"
    points = {axes: [line for line in axes.get_lines() if line.get_marker() == "o"] for axes in (left, right)}
    assert [list(line.get_xdata()) for line in points[left]] == [[-20.0], [-30.0], [-21.0]]
    assert [(list(line.get_ydata()), line.get_markerfacecolor()) for line in points[right]] == [
        ([1], BLUE),
        ([2], "white"),
    ]
    (ends, other) = [lines.get_segments()[0][:, 0].tolist() for lines in right.collections]
    assert ends == [-16.0, -4.0] and other == [-3.0, 5.0]


def test_only_tables_with_labels_and_two_comparisons() -> None:
    unlabelled = [{"model": each["label"], "relative %": each["relative %"]} for each in ROWS]
    assert (
        plots([Table(name="half", rows=unlabelled), Table(name="one", rows=ROWS[:1]), Table(name="none", rows=[])])
        == []
    )


def test_without_a_second_comparison_there_is_one_panel() -> None:
    alone = [{"label": each["label"], "relative %": each["relative %"]} for each in ROWS]
    (plot,) = plots([Table(name="big", title="Big", rows=[*alone, {"label": DASH, "relative %": DASH}])])
    figure = plot.draw(Material([], []))
    assert figure is not None and len(figure.axes) == 1 and "than the baseline, in percent" in plot.caption
