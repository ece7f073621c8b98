"""A table of networks, each against a baseline: Table 4, the start of pruning, the trend, and a user's own."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from prune_rnn.analyse.agreement import unlike
from prune_rnn.analyse.comparison import Versus, problems, versus
from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.analyse.sources import packed_bytes
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import between, laid_out, over_utterances, percent, pruned_in, sparsity, speakers_only
from prune_rnn.run.record import Result


def _steps(row: Row) -> Cell:
    train = row.config.train
    return number(None if train.steps_per_epoch is None else train.epochs * train.steps_per_epoch, ",.0f")


def _spent(row: Row, of: Callable[[Result], float]) -> float | None:
    """Returns the mean over seeds of a sum: the cost of a run, of all runs that it starts from, and of its teacher."""
    sums = [sum(of(each.result) for each in (*row.before[run.name], run)) for run in row.runs]
    return statistics.mean(sums) if sums else None


COLUMNS: Mapping[str, Callable[[Row, Row | None], str]] = {
    "label": lambda row, _: row.label,
    "model": lambda row, _: row.model,
    "cell": lambda row, _: row.family.upper(),
    "method": lambda row, _: row.config.prune.method,
    "units": lambda row, _: number(row.units, ""),
    "baseline's units": lambda _, baseline: number(baseline.units if baseline else None, "", "baseline_units"),
    "speech": lambda row, _: row.composed.data.describe(),
    "steps": lambda row, _: _steps(row),
    "WER %": lambda row, _: _mean(row, lambda run: run.result.test.wer.rate, "wer"),
    "steps in all": lambda row, _: number(_spent(row, lambda result: result.steps), ",.0f"),
    "core-hours": lambda row, _: number(_spent(row, lambda result: result.core_hours), ".2f"),
    "bytes": lambda row, _: number(packed_bytes(row.runs[0].folder) if row.runs else None, ","),
    "sparsity %": lambda row, _: sparsity(row),
    "pruned in epochs": lambda row, _: pruned_in(row),
}


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table. Each CER is a mean over seeds."""
    cells: list[dict[str, str]] = []
    notes: dict[str, None] = {}  # in order, each once
    pairs: list[tuple[Row, Row]] = []
    missing: dict[str, str] = {}
    compared = any(of.baseline for of in layout.rows)
    labelled = "label" not in layout.columns and any(of.label for of in layout.rows)
    columns = ["label", *layout.columns] if labelled or not layout.columns else layout.columns
    against = [f"against {layout.against}".strip()] if any(of.against for of in layout.rows) or layout.against else []
    for of in layout.rows:
        row, *others = (library.row(each) for each in (of, *layout.others(of)))
        edits = library.edits([row, *others])
        found = [versus(row, other, edits, library.spread([row, other])) for other in others]
        baseline, over_baseline = (others[0], found[0]) if of.baseline else (None, None)
        cells.append(
            {head: COLUMNS[head](row, baseline) for head in columns}
            | _numbers(row, baseline, over_baseline, compared)
            | _gain(found[-1] if of.against else None, against)
        )
        missing |= {each.command: each.label for each in (row, *others) if not each.runs}
        for each in found:
            texts = [*speakers_only([each.interval]), *problems([each])]
            if each.interval:
                texts += over_utterances(edits[run.name] for run in row.runs)
            notes |= dict.fromkeys(texts)
            pairs.append((row, each.other))
    return [
        laid_out(
            name, layout, library, cells,
            notes=[*notes, *unlike(pairs)], missing=[(label, command) for command, label in missing.items()],
        )
    ]  # fmt: skip


def _numbers(row: Row, baseline: Row | None, against: Versus | None, compared: bool) -> dict[str, str]:
    """Returns the row's sizes and errors. against: its baseline. compared: with a baseline's columns."""
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
    return _mean(row, lambda run: run.cer, name)


def _mean(row: Row | None, of: Callable[[Finished], float], name: str) -> Cell:
    return percent(statistics.mean(map(of, row.runs)) if row and row.runs else None, name)


def _gain(found: Versus | None, heads: Sequence[str]) -> dict[str, str]:
    """Returns how much better the row is than its `against`. heads: of the column; none without one."""
    relative, interval = (None, None) if found is None else (found.relative, found.interval)
    ends = between(interval, "+.1f")
    text = DASH if relative is None else f"{100 * relative:+.1f} {'' if interval is None else ends}".strip()
    values = {f"against_{key}": value for key, value in ends.values.items()}
    return {f"{head} %": Cell(text, against_relative=relative, **values) for head in heads}
