"""The rows of a table as relative CERs with their intervals, one above the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prune_rnn.report.base import Cell, Table, Value
from prune_rnn.report.figures.style import BLACK, BLUE, Plot, panels

_BASELINE, _AGAINST = "relative", "against_relative"  # names of the values in a table's cells
_LINE = 18  # characters of a line above a panel
_CAPTION = (
    "How many fewer errors each row makes than {}, in percent, with the 95 % interval. Left of zero it makes more. "
    "Filled: the interval does not include zero."
)


def plots(tables: Sequence[Table]) -> list[Plot]:
    """Returns a figure for each table that labels its rows and compares at least two of them."""
    return [_plot(table) for table in tables if len(_shown(table)) > 1]


def _plot(table: Table) -> Plot:
    caption = _CAPTION.format(" (left) and ".join(_heads(table)))
    return Plot(table.name, f"{table.title}: relative CER", caption, lambda _: draw(table))


def draw(table: Table) -> Figure:
    """Returns a panel for each comparison of the table: with the baseline, and with the row's `against`."""
    rows, heads = _shown(table), _heads(table)
    figure, [axes] = panels(1, len(heads), 1.2 + 0.27 * len(rows), sharey=True)
    for panel, (head, name) in zip(axes, heads.items(), strict=True):
        _panel(panel, rows, name)
        panel.set_title(fill(f"against {head}", _LINE))
    axes[0].set_yticks(range(len(rows)), [str(row["label"]) for row in rows])
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    figure.supxlabel("fewer errors, % (negative: more); open: the interval includes zero", fontsize=9)
    return figure


def _panel(axes: Axes, rows: Sequence[dict[str, Value]], name: str) -> None:
    axes.axvline(0, color=BLACK, linewidth=0.8)
    for height, row in enumerate(rows):
        middle, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
        if not (isinstance(middle, float) and isinstance(low, float) and isinstance(high, float)):
            continue
        axes.hlines(height, 100 * low, 100 * high, color=BLUE, linewidth=1.4)
        face = "white" if low <= 0 <= high else BLUE
        axes.plot(100 * middle, height, "o", color=BLUE, markerfacecolor=face)


def _shown(table: Table) -> list[dict[str, Value]]:
    """Returns the values of the rows with a label and at least one comparison."""
    rows = [_values(row.values()) | {"label": str(row["label"])} for row in table.rows if "label" in row]
    return [row for row in rows if any(row.get(f"{name}_low") is not None for name in (_BASELINE, _AGAINST))]


def _heads(table: Table) -> dict[str, str]:
    """Returns what the rows are compared with, and the name of the value."""
    found = {"the baseline": _BASELINE}
    for head in table.columns:
        if head.startswith("against"):
            found[head.removeprefix("against").removesuffix("%").strip() or "another network"] = _AGAINST
    shown = _shown(table)
    return {head: name for head, name in found.items() if any(row.get(f"{name}_low") is not None for row in shown)}


def _values(cells: Iterable[str]) -> dict[str, Value]:
    return {name: value for cell in cells if isinstance(cell, Cell) for name, value in cell.values.items()}
