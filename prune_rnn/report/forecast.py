"""The CER of each network as the law of all others predicts it, and as it was measured; then the registered ones."""

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
from prune_rnn.report.cells import percent
from prune_rnn.report.compare import pruned_in, sparsity
from prune_rnn.run.resolve import resolve, run_of

_INTERVAL = f"{100 * LEVEL:.0f} % interval"


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns a table of networks that have runs, each left out in turn, and one of the registered predictions."""
    rows = library.rows(layout.rows)
    expectation = by_networks(networks.known(Path(library.shared.results)))
    cells = [_left_out(row, expectation) for row in rows]
    made = Table(
        name=name,
        title=f"{layout.title or name} at scale={library.shared.scale.name}",
        caption=layout.caption,
        rows=cells,
        notes=_score(cells),
        missing=[(row.label, row.command) for row in rows if not row.runs],
    )
    return [made, *_registered(f"{name}_registered", library)]


def _left_out(row: Row, expectation: Expectation) -> dict[str, str]:
    expected = measured = None
    if row.runs:
        (network,) = networks.of_runs(row.runs)
        expected = expectation.left_out(network.setting).of(network.setting, network.seeds)
        expected = None if expected.vague else expected
        measured = math.exp(network.log_cer)
    return {
        "model": row.model,
        "units": number(row.units, ""),
        "sparsity %": sparsity(row),
        "pruned in epochs": pruned_in(row),
        "seeds": number(len(row.runs), ""),
        **_compared(expected, measured),
    }


def _registered(name: str, library: Library) -> list[Table]:
    """Returns the table of the registered predictions of this scale, where there are any."""
    results = library.shared.results
    lines = [(each, each.config(results)) for each in registered.read(Path(results))]
    lines = [(each, config) for each, config in lines if config.scale.name == library.shared.scale.name]
    cells, missing = [], []
    for each, config in lines:
        run = run_of(resolve(config)[0])
        measured = run.result().test.cer.rate if run.finished else None
        cells.append(
            {
                "network": each.overrides,
                "registered": Cell(each.date[:10], registered=each.date),
                "commit": Cell(each.commit[:7], commit=each.commit),
                **_compared(Expected(each.cer, each.low, each.high), measured),
            }
        )
        if not run.finished:
            missing.append((each.overrides, f"prune-rnn train {each.overrides}"))
    caption = "Predictions that were committed before the networks were trained. One run each."
    made = Table(
        name=name, title="Registered predictions", caption=caption, rows=cells, notes=_score(cells), missing=missing
    )
    return [made] if cells else []


def _compared(expected: Expected | None, measured: float | None) -> dict[str, str]:
    """Returns what was predicted and measured, fractions, in cells."""
    off = None if expected is None or measured is None else expected.cer / measured - 1
    inside = None if expected is None or measured is None else expected.low <= measured <= expected.high
    low, high = (None, None) if expected is None else (expected.low, expected.high)
    ends = DASH if expected is None else f"{100 * expected.low:.1f} to {100 * expected.high:.1f}"
    return {
        "predicted CER %": percent(expected.cer if expected else None, "predicted_cer", ".1f"),
        _INTERVAL: Cell(ends, predicted_low=low, predicted_high=high),
        "measured CER %": percent(measured, "measured_cer", ".1f"),
        "off by %": percent(off, "off", "+.1f"),
        "inside": Cell(
            DASH if inside is None else "yes" if inside else "no", inside=None if inside is None else int(inside)
        ),
    }


def _score(cells: Sequence[dict[str, str]]) -> list[str]:
    """Returns how good the predictions were, in words."""
    off = [abs(value) for row in cells if (value := _value(row["off by %"], "off")) is not None]
    if not off:
        return []
    inside = [row["inside"] == "yes" for row in cells if row["inside"] != DASH]
    return [
        f"Of {len(off)} networks {sum(inside)} ({100 * statistics.mean(inside):.0f} %) lie inside of the {_INTERVAL}. "
        f"Predicted and measured differ by {100 * statistics.median(off):.1f} % in the median, by {100 * max(off):.1f} "
        "% at worst."
    ]


def _value(cell: str, name: str) -> float | None:
    assert isinstance(cell, Cell)
    value = cell.values[name]
    return value if isinstance(value, float) else None
