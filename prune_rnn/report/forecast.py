"""The predicted CER of each network, from all others, beside the measured one; then the registered predictions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.predict import networks, registered
from prune_rnn.predict.interval import LEVEL, Expectation, Expected, by_networks
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import laid_out, percent, pruned_in, sparsity, without_runs
from prune_rnn.run.resolve import resolve, run_of

_INTERVAL = f"{100 * LEVEL:.0f} % interval"


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns a table of networks that have runs, each left out in turn, and one of the registered predictions."""
    rows = library.rows(layout.rows)
    expectation = by_networks(networks.known(Path(library.shared.results)))
    cells = [_left_out(row, expectation) for row in rows]
    made = laid_out(name, layout, library, cells, notes=_score(cells), missing=without_runs(rows))
    return [made, *_registered(f"{name}_registered", library)]


def _left_out(row: Row, expectation: Expectation) -> dict[str, Cell]:
    expected = measured = None
    if row.runs:
        (network,) = networks.of_runs(row.runs)
        expected = expectation.left_out(network.setting).of(network.setting, network.seeds)
        expected = None if expected.vague else expected
        measured = math.exp(network.log_cer)
    return {
        "model": Cell(row.model, model=row.model),
        "units": number(row.units, ""),
        "sparsity %": sparsity(row),
        "pruned in epochs": pruned_in(row),
        "seeds": number(len(row.runs), ""),
        **_compared(expected, measured),
    }


def _registered(name: str, library: Library) -> list[Table]:
    """Returns the table of the registered predictions of this scale, where there are any."""
    results = library.shared.results
    cells, missing = [], []
    for each in registered.read(Path(results)):
        config = each.config(results)
        if config.scale.name != library.shared.scale.name:
            continue
        run = run_of(resolve(config)[0])
        measured = run.result().test.cer.rate if run.finished else None
        cells.append(
            {
                "network": Cell(each.overrides, network=each.overrides),
                "registered": Cell(each.date[:10], registered=each.date),
                "commit": Cell(each.commit[:7], commit=each.commit),
                **_compared(Expected(each.cer, each.low, each.high), measured),
            }
        )
        if not run.finished:
            missing.append((each.overrides, f"prune-rnn train {each.overrides}"))
    title = "Registered predictions"
    caption = "Predictions that were committed before the networks were trained. One run each."
    made = Table(name=name, title=title, caption=caption, rows=cells, notes=_score(cells), missing=missing)
    return [made] if cells else []


def _compared(expected: Expected | None, measured: float | None) -> dict[str, Cell]:
    """Returns the cells of a predicted and a measured CER, fractions."""
    cer = low = high = off = None
    ends, inside = DASH, Cell(DASH, inside=None)
    if expected is not None:
        cer, low, high = expected.cer, expected.low, expected.high
        ends = f"{100 * low:.1f} to {100 * high:.1f}"
        if measured is not None:
            off = cer / measured - 1
            inside = Cell("yes", inside=1) if low <= measured <= high else Cell("no", inside=0)
    return {
        "predicted CER %": percent(cer, "predicted_cer", ".1f"),
        _INTERVAL: Cell(ends, predicted_low=low, predicted_high=high),
        "measured CER %": percent(measured, "measured_cer", ".1f"),
        "off by %": percent(off, "off", "+.1f"),
        "inside": inside,
    }


def _score(cells: Sequence[dict[str, Cell]]) -> list[str]:
    """Returns a note on how good the predictions were."""
    off = [abs(value) for row in cells if isinstance(value := row["off by %"].values["off"], float)]
    if not off:
        return []
    inside = sum(row["inside"] == "yes" for row in cells)
    return [
        f"Of {len(off)} networks {inside} ({100 * inside / len(off):.0f} %) lie inside of the {_INTERVAL}. "
        f"Predicted and measured differ by {100 * statistics.median(off):.1f} % in the median, by {100 * max(off):.1f} "
        "% at worst."
    ]
