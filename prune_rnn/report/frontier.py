"""The frontier as a table: dense networks of all widths, and pruned ones against those of their size; seed 0."""

from __future__ import annotations

from prune_rnn.analyse.frontier import Gain, Network, places
from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import percent
from prune_rnn.report.compare import pruned_in, sparsity


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, the largest network first. The first row of the YAML file is the baseline."""
    rows = library.rows(layout.rows)
    seeds = {row.label: next((run for run in row.runs if run.seed == 0), None) for row in rows}
    baseline = rows[0].label
    missing = [(row.label, row.command) for row in rows if seeds[row.label] is None]
    found = [(row, run) for row in rows if (run := seeds[row.label])]
    found.sort(key=lambda one: -one[1].result.nonzero)
    edits = library.heard([row for row, _ in found])
    silent = [run.name for _, run in found if edits[run.name] is None]
    networks: list[Network] = []
    labels: list[str] = []
    for row, run in found:
        its: Edits | None = edits[run.name]
        if its is not None:
            networks.append(Network(run.result.nonzero, not row.sparse, its))
            labels.append(row.label)
    number_of_baseline = labels.index(baseline) if baseline in labels else None
    spread = library.spread([row for row, _ in found])
    found_places = dict(zip(labels, places(networks, number_of_baseline, spread), strict=True))
    cells = []
    for row, run in [*found, *((row, None) for row in rows if seeds[row.label] is None)]:
        place = found_places.get(row.label)
        cells.append(
            {
                "network": f"{row.units} units",
                "sparsity %": sparsity(row),
                "pruned in epochs": pruned_in(row),
                "parameters not zero": number(run.result.nonzero if run else None, ",", "nonzero"),
                "test CER %": percent(run.cer if run else None, "cer"),
                "against the baseline %": _relative(place.baseline if place else None, "relative"),
                "against dense of its size %": _relative(place.at_size if place else None, "at_size"),
                "dense of its CER is larger by": number(place.larger if place else None, ".1f", "larger"),
            }
        )
    return [
        Table(
            name=name,
            title=f"{layout.title or name} at scale={library.shared.scale.name}",
            caption=layout.caption,
            rows=cells,
            notes=[f"No intervals without hypotheses: {', '.join(silent)}."] if silent else [],
            missing=missing,
        )
    ]


def _relative(gain: Gain | None, name: str) -> Cell:
    names = (name, f"{name}_low", f"{name}_high")
    if gain is None:
        return Cell(DASH, **dict.fromkeys(names))
    values = (gain.relative, gain.interval.low, gain.interval.high)
    first, low, high = (f"{100 * value:+.1f}" for value in values)
    return Cell(f"{first} ({low} to {high})", **dict(zip(names, values, strict=True)))
