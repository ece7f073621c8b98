"""A table of networks, each against a baseline: Table 4, the start of pruning, the trend, and a user's own."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from prune_rnn.analyse.agreement import unlike
from prune_rnn.analyse.comparison import Versus, versus
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.analyse.sources import packed_bytes
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import NOTE_SPEAKERS_ONLY, between, percent
from prune_rnn.run.record import Result
from prune_rnn.usage import UsageError


def pruned_in(row: Row) -> Cell:
    """Returns the epochs in which the row is pruned, or the one at which it is pruned at once."""
    phase = row.config.prune.phase()
    if phase is None:
        return Cell(DASH, first_epoch=None, last_epoch=None)
    first, last = phase
    return Cell(f"at {first:g}" if first == last else f"{first:g} to {last:g}", first_epoch=first, last_epoch=last)


def sparsity(row: Row) -> Cell:
    """Returns the share of all parameters that are zero, in percent."""
    return percent(row.runs[0].result.sparsity if row.runs else None, "sparsity", ".1f")


def _steps(row: Row) -> Cell:
    train = row.config.train
    return number(None if train.steps_per_epoch is None else train.epochs * train.steps_per_epoch, ",.0f")


def _spent(row: Row, of: Callable[[Result], float]) -> float | None:
    """Returns the mean over seeds of what a run took, with all runs that it starts from."""
    sums = [sum(of(each.result) for each in (*row.before[run.name], run)) for run in row.runs]
    return statistics.mean(sums) if sums else None


COLUMNS: Mapping[str, Callable[[Row, Row | None], str]] = {
    "label": lambda row, _: row.label,
    "model": lambda row, _: row.model,
    "cell": lambda row, _: row.family.upper(),
    "method": lambda row, _: row.config.prune.method,
    "units": lambda row, _: number(row.units, ""),
    "baseline's units": lambda _, baseline: number(baseline.units if baseline else None, "", "baseline_units"),
    "speech": lambda row, _: row.composed.data.describe() if row.composed else DASH,
    "steps": lambda row, _: _steps(row),
    "steps in all": lambda row, _: number(_spent(row, lambda result: result.steps), ",.0f"),
    "core-hours": lambda row, _: number(_spent(row, lambda result: result.core_hours), ".2f"),
    "bytes": lambda row, _: number(packed_bytes(row.runs[0].folder) if row.runs else None, ","),
    "sparsity %": lambda row, _: sparsity(row),
    "pruned in epochs": lambda row, _: pruned_in(row),
}


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table. Each CER is a mean over seeds."""
    if unknown := [each for each in layout.columns if each not in COLUMNS]:
        raise UsageError(f"{name}.yaml: columns has {unknown[0]!r}; give some of {', '.join(COLUMNS)}")
    rows, notes = [], dict[str, None]()
    missing: dict[str, str] = {}
    compared = any(of.baseline for of in layout.rows)
    labelled = "label" not in layout.columns and any(of.label for of in layout.rows)
    columns = ["label", *layout.columns] if labelled or not layout.columns else layout.columns
    against = [f"against {layout.against}".strip()] if any(of.against for of in layout.rows) or layout.against else []
    for of in layout.rows:
        row, *others = (library.row(each) for each in (of, *layout.others(of)))
        baseline = others[0] if of.baseline else None
        cells: dict[str, str] = {head: COLUMNS[head](row, baseline) for head in columns}
        versus_each = [_versus(row, other, library) for other in others]
        over_baseline = versus_each[0] if of.baseline else None
        over_against = versus_each[-1] if of.against else None
        rows.append(cells | _numbers(row, baseline, over_baseline, compared) | _gain(over_against, against))
        missing |= {each.command: each.label for each in (row, *others) if not each.runs}
        for other, found in zip(others, versus_each, strict=True):
            if found.interval and not found.interval.over_seeds:
                notes[NOTE_SPEAKERS_ONLY] = None
            if text := unlike(row, other):
                notes[text] = None
            if found.problem:
                notes[f"{row.label} against {other.label}: no interval, because {found.problem}."] = None
    return [
        Table(
            name=name,
            title=f"{layout.title or name} at scale={library.shared.scale.name}",
            caption=layout.caption,
            rows=rows,
            notes=list(notes),
            missing=[(label, command) for command, label in missing.items()],
        )
    ]


def _versus(row: Row, other: Row, library: Library) -> Versus:
    return versus(row, other, library.heard([row, other]), library.spread([row, other]))


def _numbers(row: Row, baseline: Row | None, against: Versus | None, compared: bool) -> dict[str, str]:
    """Returns the row's sizes and errors. against: over the baseline. compared: with the columns of a baseline."""
    cells = {
        "seeds": number(len(row.runs) or None, ""),
        "baseline, not zero": _nonzero(baseline, "baseline_nonzero"),
        "not zero": _nonzero(row, "nonzero"),
        "baseline's CER %": _cer(baseline, "baseline_cer"),
        "CER %": _cer(row, "cer"),
        "relative %": percent(against.relative if against else None, "relative", "+.1f"),
        "95 % interval": between(against.interval if against else None, "+.1f"),
    }
    return {head: cell for head, cell in cells.items() if compared or head in ("seeds", "not zero", "CER %")}


def _nonzero(row: Row | None, name: str) -> Cell:
    return number(row.runs[0].result.nonzero if row and row.runs else None, ",", name)


def _cer(row: Row | None, name: str) -> Cell:
    return percent(statistics.mean(run.cer for run in row.runs) if row and row.runs else None, name)


def _gain(found: Versus | None, heads: Sequence[str]) -> dict[str, str]:
    """Returns how much better the row is than its `against`, under the head; of none there is no such column."""
    relative, interval = (None, None) if found is None else (found.relative, found.interval)
    ends = between(interval, "+.1f")
    text = DASH if relative is None else f"{100 * relative:+.1f} {'' if interval is None else ends}".strip()
    values = {f"against_{key}": value for key, value in ends.values.items()}
    return {f"{head} %": Cell(text, against_relative=relative, **values) for head in heads}
