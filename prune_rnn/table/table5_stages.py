"""Where a second of audio goes, by stage: a table and stacked bars, for the whole networks of Table 5."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib import colormaps
from matplotlib.figure import Figure

from prune_rnn.bench.record import Row
from prune_rnn.table.figures.style import legend, panels
from prune_rnn.table.table5_tables import DASH, Table, percent

_MOST = 4  # networks in the figure
TITLE = "Where a second of audio goes"

Ways = dict[str, dict[str, float]]  # by way, milliseconds by stage


def by_network(rows: Iterable[Row]) -> dict[str, Ways]:
    """Returns the medians of stages, by the network's label."""
    found: dict[str, Ways] = {}
    for row in rows:
        sparsity = "" if row.dense else f", {percent(row.sparsity or 0)} %"
        way = found.setdefault(row.label, {}).setdefault(row.name + sparsity, {})
        way[row.stage] = row.median_us / 1000
    return found


def order(networks: dict[str, Ways]) -> list[str]:
    """Returns all stages in the order in which they come; of the network that has most of them first."""
    ways = sorted((way for ways in networks.values() for way in ways.values()), key=len, reverse=True)
    return list(dict.fromkeys(stage for way in ways for stage in way))


def table(ways: Ways, stages: Sequence[str]) -> Table:
    """Returns a row a way: milliseconds by stage, and their sum."""
    own = [stage for stage in stages if any(stage in way for way in ways.values())]
    return [
        {
            "Way": name,
            **{stage: f"{way[stage]:.2f}" if stage in way else DASH for stage in own},
            "all": f"{sum(way.values()):.2f}",
        }
        for name, way in ways.items()
    ]


def draw(networks: dict[str, Ways]) -> Figure:
    """Returns a panel a network, of the first few, with a stacked bar for each way but torch's, which dwarfs them."""
    shown = {label: _drawn(ways) for label, ways in list(networks.items())[:_MOST]}
    stages = order(shown)
    figure, axes = panels(len(shown), 1, 0.6 + sum(0.6 + 0.24 * len(ways) for ways in shown.values()),
                          height_ratios=[2 + len(ways) for ways in shown.values()])  # fmt: skip
    for (label, ways), [own] in zip(shown.items(), axes, strict=True):
        left = dict.fromkeys(ways, 0.0)
        for stage, colour in zip(stages, colormaps["tab10"].colors, strict=False):  # type: ignore[attr-defined]
            widths = [way.get(stage, 0.0) for way in ways.values()]
            own.barh(list(ways), widths, left=list(left.values()), color=colour, label=stage)
            left = {name: left[name] + width for name, width in zip(ways, widths, strict=True)}
        own.invert_yaxis()
        own.grid(axis="y", visible=False)
        own.set_title(label)
    axes[-1][0].set_xlabel("milliseconds for a second of audio, one stream")
    legend(figure, [row[0] for row in axes], 3)
    return figure


def _drawn(ways: Ways) -> Ways:
    return {name: way for name, way in ways.items() if not name.startswith("torch")}
