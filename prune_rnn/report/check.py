"""Checks of a table's YAML file. An error is one line that names the file, the row and the key."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.analyse.sources import placeholders
from prune_rnn.report.compare import COLUMNS
from prune_rnn.run.resolve import resolve
from prune_rnn.usage import UsageError

# the kinds that use a key, for keys that not all kinds use
_KINDS: Mapping[str, Sequence[str]] = {
    "caption": ("compare", "pairs", "frontier", "forecast", "table1", "table2"),
    "columns": ("compare",),
    "against": ("compare",),
    "pairs": ("table3", "pairs"),
}
_KINDS_OF_ROWS: Mapping[str, Sequence[str]] = {
    "baseline": ("compare",),
    "against": ("compare",),
    "family": ("table3", "pairs", "compare"),
    "paper": ("table3", "pairs"),
}
_CHOSEN = {
    "seed": "every seed that has a run is shown",
    "results": "the command line names the folder",
    "scale": "the command line names the scale",
}


def check_keys(file: Path, layout: Layout) -> None:
    """Raises UsageError for a key that the table's kind does not use, and for a pair that is not of two rows."""
    given = [(key, kinds) for key, kinds in _KINDS.items() if getattr(layout, key)]
    for index, row in enumerate(layout.rows):
        given += [(f"rows[{index}].{key}", kinds) for key, kinds in _KINDS_OF_ROWS.items() if getattr(row, key)]
    for key, kinds in given:
        if layout.kind not in kinds:
            others = " or ".join(f"kind: {kind}" for kind in kinds)
            raise UsageError(f"{file}: {key}: kind: {layout.kind} makes no use of it; leave it out, or give {others}")
    if unknown := [each for each in layout.columns if each not in COLUMNS]:
        raise UsageError(f"{file}: columns has {unknown[0]!r}; give some of {', '.join(COLUMNS)}")
    labels = {row.label or row.overrides for row in layout.rows}
    for index, pair in enumerate(layout.pairs):
        if len(pair) != 2 or not set(pair) <= labels:
            raise UsageError(f"{file}: pairs[{index}]: is {pair}; give the labels of two rows")


def check_rows(file: Path, layout: Layout, library: Library) -> None:
    """Raises UsageError for overrides of a row, or of what it is compared with, that make no network."""
    for index, row in enumerate(layout.rows):
        for key, words, further in _networks(layout, row):
            try:
                own = shlex.split(words)
                for word in own:
                    if why := _CHOSEN.get(word.lstrip("+").partition("=")[0]):
                        raise UsageError(f"{word}: {why}; leave it out")
                resolve(replace(library.composed([*own, *library.common, *further]), init=None, teacher=None))
            except ValueError as error:
                labels = ", ".join(each.label for each in layout.rows if each.label)
                fix = (
                    f", nor the label of a row ({labels})"
                    if key in ("baseline", "against") and "=" not in words
                    else ""
                )
                raise UsageError(f"{file}: rows[{index}].{key}: {error}{fix}") from None


def _networks(layout: Layout, row: RowLayout) -> Iterator[tuple[str, str, list[str]]]:
    """Yields (key, overrides, placeholders for its sources) of each network that a row names."""
    yield "overrides", row.overrides, placeholders(row)
    labels = {each.label for each in layout.rows}
    for key in ("baseline", "against"):
        words = getattr(row, key)
        if words and words not in labels:
            yield key, words, []
    for index, words in enumerate(row.init):
        yield f"init[{index}]", words, placeholders(replace(row, init=row.init[:index], teacher=""))
    if row.teacher:
        yield "teacher", row.teacher, []
