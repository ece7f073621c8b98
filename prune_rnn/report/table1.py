"""The paper's Table 1: the hyper-parameters of gradual pruning as they were used, in steps and magnitudes."""

from __future__ import annotations

from collections.abc import Iterator

from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.prune.gradual import Gradual
from prune_rnn.report.base import DASH, Table, number
from prune_rnn.report.cells import laid_out, percent, sparsity, without_runs
from prune_rnn.usage import UsageError


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, a row for each layer type of each network."""
    rows = library.rows(layout.rows)
    return [
        laid_out(name, layout, library, [cells for row in rows for cells in _rows(row)], missing=without_runs(rows))
    ]


def _rows(row: Row) -> Iterator[dict[str, str]]:
    prune, run = row.config.prune, row.runs[0] if row.runs else None
    if not isinstance(prune, Gradual):
        raise UsageError(f"{row.label}: Table 1 is of prune=gradual, and this is prune={prune.method}")
    qs = prune.magnitudes() or (run.result.threshold if run else {})
    train = row.config.train
    steps = train.steps_per_epoch or (run.result.steps // train.epochs if run else None)
    for layer_type in prune.layers:
        q = qs.get(layer_type)
        when = None if steps is None else prune.schedule(q or 1.0, steps)
        known = None if q is None else when  # the slopes lead to q
        yield {
            "label": row.label,
            "layer type": layer_type,
            "q from": row.config.q_source or DASH,
            "q": number(q, ".4g"),
            "start, step": number(when.start_step if when else None, ",", "start_step"),
            "ramp, step": number(when.ramp_step if when else None, ",", "ramp_step"),
            "end, step": number(when.end_step if when else None, ",", "end_step"),
            "freq, steps": number(when.freq if when else None, "", "freq"),
            "theta": number(known.theta if known else None, ".3g"),
            "phi": number(known.phi if known else None, ".3g"),
            "sparsity %": sparsity(row),
            "goal %": percent(row.composed.model.sparsity, "goal", ".1f"),
        }
