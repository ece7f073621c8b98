"""Speed-up against sparsity, by type of weights: the figure of Table 5."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from prune_rnn.bench.matrices import BLOCKED, FORCED, UNSTRUCTURED
from prune_rnn.report.figures.style import BLACK, BLUE, GREEN, MARKERS, VERMILLION, legend, panels
from prune_rnn.report.table5.groups import TYPES, Group, ratio
from prune_rnn.report.table5.tables import percent

_COLOURS = dict(zip(TYPES, (BLUE, GREEN, VERMILLION), strict=True))
_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_LINES = {UNSTRUCTURED: "-", BLOCKED: "--"}


def speedups(groups: Sequence[Group], weights: str, mask: str) -> dict[float, list[float]]:
    """Returns, by sparsity, each group's speed-up over its fastest dense baseline. Unstructured includes forced."""
    masks = (UNSTRUCTURED, FORCED) if mask == UNSTRUCTURED else (mask,)
    found: dict[float, list[float]] = {}
    for group in groups:
        for case in group.cases:
            value = ratio(group.fastest_dense(), case.ours.get(weights))
            if case.mask in masks and value is not None:
                found.setdefault(case.sparsity, []).append(value)
    return dict(sorted(found.items()))


def draw(groups: Sequence[Group]) -> Figure | None:
    """Returns a panel for the fewest streams and one for the most; None without random masks.

    groups: of one workload.
    """
    random = [group for group in groups if any(case.mask == UNSTRUCTURED and case.ours for case in group.cases)]
    if not random:
        return None
    streams = sorted({group.streams for group in random})
    shown = sorted({streams[0], streams[-1]})
    figure, [row] = panels(1, len(shown), 3.6, sharey="row")
    for axes, count in zip(row, shown, strict=True):
        own = [group for group in random if group.streams == count]
        axes.axhline(1, color=BLACK, linewidth=1)
        for mask, line in _LINES.items():
            for (weights, colour), marker in zip(_COLOURS.items(), MARKERS, strict=False):
                found = speedups(own, weights, mask)
                if not found:
                    continue
                x = [-math.log2(1 - sparsity) for sparsity in found]  # halving the weights is a step
                middle = [statistics.median(values) for values in found.values()]
                if mask == UNSTRUCTURED:
                    low, high = [min(v) for v in found.values()], [max(v) for v in found.values()]
                    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
                label = f"{weights}, {mask}"
                axes.plot(x, middle, line, color=colour, marker=marker, markersize=4, label=label)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(_TICKS))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.minorticks_off()
        ticks = sorted({case.sparsity for group in own for case in group.cases if case.mask in (*_LINES, FORCED)})
        axes.set_xticks([-math.log2(1 - sparsity) for sparsity in ticks], [percent(sparsity) for sparsity in ticks])
        axes.set_title(f"{count} stream" + "s" * (count > 1))
        axes.set_xlabel("sparsity, %")
    row[0].set_ylabel("speed-up over the fastest\ndense baseline")
    legend(figure, row, 2)
    return figure
