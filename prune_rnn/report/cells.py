"""What several tables have in common: title and caption, missing rows, and cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.interval import Interval
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.report.base import DASH, Cell, Table, number

_SPEAKERS_ONLY = "†"
_NOTE_SPEAKERS_ONLY = (
    f"{_SPEAKERS_ONLY} No setting that was trained like this has two seeds: the interval is over speakers only."
)
_OVER_UTTERANCES = "The test split has one speaker, or does not name them: intervals are over its utterances."


def laid_out(
    name: str,
    layout: Layout,
    library: Library,
    cells: Sequence[Mapping[str, str]],
    *,
    notes: Sequence[str] = (),
    missing: Sequence[tuple[str, str]] = (),
) -> Table:
    """Returns a table with the title and the caption of its YAML file."""
    title = f"{layout.title or name} at scale={library.shared.scale.name}"
    return Table(name=name, title=title, caption=layout.caption, rows=cells, notes=notes, missing=missing)


def without_runs(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Returns (label, command) of each row without a run, the command being what trains one."""
    return [(row.label, row.command) for row in rows if not row.runs]


def speakers_only(intervals: Iterable[Interval | None]) -> list[str]:
    """Returns the note on the mark of intervals without a spread of seeds, where there is one."""
    return [_NOTE_SPEAKERS_ONLY] if any(each and not each.over_seeds for each in intervals) else []


def over_utterances(edits: Iterable[Edits | None]) -> list[str]:
    """Returns the note on intervals over utterances, where one of the runs has no speakers to draw them by."""
    return [_OVER_UTTERANCES] if any(each is not None and not each.speakers for each in edits) else []


def between(interval: Interval | None, form: str = "+.2f") -> Cell:
    """Returns the interval in percent, with a mark where it includes zero or knows no spread of seeds."""
    if interval is None:
        return Cell(DASH, relative_low=None, relative_high=None)
    text = f"[{100 * interval.low:{form}}, {100 * interval.high:{form}}]"
    text += ", includes 0" if interval.includes_zero else ""
    text += "" if interval.over_seeds else f" {_SPEAKERS_ONLY}"
    return Cell(text, relative_low=interval.low, relative_high=interval.high)


def percent(value: float | None, name: str, form: str = ".2f") -> Cell:
    """Returns a fraction in percent. name: of its column in CSV, which has the fraction."""
    return number(value, form, name, scale=100)


def sparsity(row: Row) -> Cell:
    """Returns the sparsity of all parameters of the row's first run, in percent."""
    return percent(row.runs[0].result.sparsity if row.runs else None, "sparsity", ".1f")


def pruned_in(row: Row) -> Cell:
    """Returns the epochs in which the row is pruned, or the epoch at which it is pruned at once."""
    phase = row.config.prune.phase()
    if phase is None:
        return Cell(DASH, first_epoch=None, last_epoch=None)
    first, last = phase
    return Cell(f"at {first:g}" if first == last else f"{first:g} to {last:g}", first_epoch=first, last_epoch=last)
