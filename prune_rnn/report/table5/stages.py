"""The time of a second of audio by stage, for the whole networks of Table 5: a table and stacked bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from matplotlib import colormaps
from matplotlib.figure import Figure

from prune_rnn.bench.archive import Row
from prune_rnn.bench.stages import STREAMED
from prune_rnn.report.base import number
from prune_rnn.report.figures.style import legend, panels
from prune_rnn.report.table5.tables import Rows, percent

_MOST = 4  # networks in the figure
TITLE = "Where a second of audio goes"

Ways = dict[str, dict[str, float]]  # by candidate and sparsity, milliseconds by stage


def by_network(rows: Iterable[Row]) -> dict[str, Ways]:
    """Returns the medians of stages, by the network's label."""
    found: dict[str, Ways] = {}
    for row in rows:
        sparsity = "" if row.dense else f", {percent(row.sparsity or 0)} %"
        way = found.setdefault(row.label, {}).setdefault(row.name + sparsity, {})
        way[row.stage] = row.median_us / 1000
    return found


def order(networks: dict[str, Ways]) -> list[str]:
    """Returns all stages in their order; those of the row with most stages come first."""
    ways = sorted((way for ways in networks.values() for way in ways.values()), key=len, reverse=True)
    return list(dict.fromkeys(stage for way in ways for stage in way))


def table(ways: Ways, stages: Sequence[str]) -> Rows:
    """Returns a row for each way: milliseconds by stage, and their sum."""
    own = [stage for stage in stages if any(stage in way for way in ways.values())]
    return [
        {
            "Way": name,
            **{stage: number(way.get(stage), ".2f") for stage in own},
            "all": number(sum(way.values()), ".2f"),
        }
        for name, way in ways.items()
    ]


def lines(networks: dict[str, Ways]) -> list[str]:
    """Returns a line for each network, then one for each way shown: milliseconds, and the three longest stages.

    >>> lines({"GRU": {"ours, 95 %": {"features": 1.0, "time loops": 3.0}}})
    ['GRU', '  ours, 95 %: 4.00 ms: time loops 75 %, features 25 %']
    """
    found = []
    for name, ways in (panel for label, own in networks.items() for panel in _panels(label, own)):
        found.append(name)
        for way, stages in ways.items():
            total = sum(stages.values())
            longest = sorted(stages.items(), key=lambda each: -each[1])[:3]
            shares = ", ".join(f"{stage} {100 * each / total:.0f} %" for stage, each in longest)
            found.append(f"  {way}: {total:.2f} ms: {shares}")
    return found


def draw(networks: dict[str, Ways]) -> Figure:
    """Returns a panel of stacked bars for each of the first networks, whole files and streamed apart.

    A panel has a bar for the fastest dense way and for each sparse one.
    """
    shown = dict(panel for label, ways in list(networks.items())[:_MOST] for panel in _panels(label, ways))
    stages = order(shown)
    bars = [len(ways) for ways in shown.values()]
    heights = [2 + count for count in bars]
    figure, axes = panels(len(shown), 1, 0.8 + 0.24 * sum(heights), height_ratios=heights)
    for (label, ways), [own] in zip(shown.items(), axes, strict=True):
        left = dict.fromkeys(ways, 0.0)
        for stage, colour in zip(stages, colormaps["tab10"].colors, strict=False):  # type: ignore[attr-defined]
            widths = [way.get(stage, 0.0) for way in ways.values()]
            own.barh(list(ways), widths, left=list(left.values()), color=colour, label=stage)
            left = {name: left[name] + width for name, width in zip(ways, widths, strict=True)}
        own.invert_yaxis()
        own.grid(axis="y", visible=False)
        own.set_title(label, loc="right")
    axes[-1][0].set_xlabel("ms for a second of audio, one stream", loc="right")
    legend(figure, [row[0] for row in axes], 3)
    return figure


def _panels(label: str, ways: Ways) -> Iterator[tuple[str, Ways]]:
    for mode in ("", STREAMED):
        own = {name.replace(STREAMED, ""): way for name, way in ways.items() if (STREAMED in name) == bool(mode)}
        dense = [name for name in own if "%" not in name]
        if own:
            fastest = min(dense, key=lambda name: sum(own[name].values()), default="")
            yield label + mode, {name: way for name, way in own.items() if name == fastest or name not in dense}
