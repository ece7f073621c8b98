"""The CER of each network as the law of all others predicts it, and as it was measured."""

from __future__ import annotations

import statistics

from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.prediction import alike, law
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.report.base import Table, number
from prune_rnn.report.compare import sparsity
from prune_rnn.report.table3 import percent
from prune_rnn.run.resolve import resolve


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, a row a network that has a run."""
    rows = library.rows(layout.rows)
    return [
        Table(
            name=name,
            title=f"{layout.title or name} at scale={library.shared.scale.name}",
            caption=layout.caption,
            rows=[_row(row) for row in rows],
            missing=[(row.label, row.command) for row in rows if not row.runs],
        )
    ]


def _row(row: Row) -> dict[str, str]:
    assert row.composed is not None
    config, _ = resolve(row.composed)
    goal: float | None = getattr(config.prune, "prunable_sparsity", 0.0)
    points = [] if goal is None else alike(config, goal)
    found = law(points)
    measured = statistics.mean(run.cer for run in row.runs) if row.runs else None
    predicted = None
    if found is not None and goal is not None and row.runs:
        predicted = found.cer(row.runs[0].result.prunable, 1 - goal)
    off = None if predicted is None or measured is None else predicted - measured
    return {
        "model": row.model,
        "units": number(row.units, ""),
        "sparsity %": sparsity(row),
        "by networks": number(len(points), ""),
        "predicted CER %": percent(predicted, "predicted_cer", ".1f"),
        "measured CER %": percent(measured, "measured_cer", ".1f"),
        "seeds": number(len(row.runs), ""),
        "off by, points": percent(off, "off", "+.1f"),
    }
