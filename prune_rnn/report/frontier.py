"""The frontier as a table: dense networks of all widths, and pruned ones against those of their size; seed 0."""

from __future__ import annotations

from prune_rnn.analyse.frontier import Comparison, Gain, Network, comparisons
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import laid_out, percent, pruned_in, sparsity


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, the largest network first. The first row of the YAML file is the baseline."""
    rows = [(row, next((run for run in row.runs if run.seed == 0), None)) for row in library.rows(layout.rows)]
    found = sorted(((row, run) for row, run in rows if run), key=lambda one: -one[1].result.nonzero)
    missing = [row for row, run in rows if run is None]
    edits = library.edits([row for row, _ in found])
    networks = {
        row.label: Network(run.result.nonzero, not row.sparse, own)
        for row, run in found
        if (own := edits[run.name]) is not None
    }
    silent = [run.name for _, run in found if edits[run.name] is None]
    baseline = list(networks).index(rows[0][0].label) if rows[0][0].label in networks else None
    compared = comparisons(list(networks.values()), baseline, library.spread([row for row, _ in found]))
    by_label = dict(zip(networks, compared, strict=True))
    cells = []
    for row, run in [*found, *((row, None) for row in missing)]:
        versus = by_label.get(row.label, Comparison())
        cells.append(
            {
                "network": f"{row.units} units",
                "sparsity %": sparsity(row),
                "pruned in epochs": pruned_in(row),
                "parameters not zero": number(run.result.nonzero if run else None, ",", "nonzero"),
                "test CER %": percent(run.cer if run else None, "cer"),
                "against the baseline %": _relative(versus.baseline, "relative"),
                "against dense of its size %": _relative(versus.at_size, "at_size"),
                "dense of its CER is larger by": number(versus.larger, ".1f", "larger"),
            }
        )
    notes = [f"No intervals without hypotheses: {', '.join(silent)}."] if silent else []
    lacking = [(row.label, row.command) for row in missing]
    return [laid_out(name, layout, library, cells, notes=notes, missing=lacking)]


def _relative(gain: Gain | None, name: str) -> Cell:
    names = (name, f"{name}_low", f"{name}_high")
    if gain is None:
        return Cell(DASH, **dict.fromkeys(names))
    values = (gain.relative, gain.interval.low, gain.interval.high)
    first, low, high = (f"{100 * value:+.1f}" for value in values)
    return Cell(f"{first} ({low} to {high})", **dict(zip(names, values, strict=True)))
