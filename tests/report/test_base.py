"""What holds for every table: each rendering has the same rows and columns."""

import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import file_of, layout, names
from prune_rnn.analyse.rows import Library
from prune_rnn.bench import archive
from prune_rnn.report.base import Cell, Table, number
from prune_rnn.report.page import provenance
from prune_rnn.report.report import KINDS
from prune_rnn.report.table5 import tables as table5
from prune_rnn.report.table5.groups import grouped

RECORD = Path(__file__).parents[2] / "results" / "tables" / "table5" / "amd_epyc_2_threads_7e02c0"
MARKS = r"a|b & <i>c</i> 5% d_e #1 *f* `g` ~ ^ $ { } \h"
STRANGE = Table(
    name="strange",
    title="Strange",
    rows=[
        {"A|B <b>": MARKS, "n %": number(1 / 3, ".1f", "share", scale=100), "two": Cell("1 ± 2", one=1, two=2)},
        {"A|B <b>": 'x, "y"', "n %": number(None, ".1f", "share"), "two": Cell("-", one=None, two=None)},
    ],
    notes=[MARKS],
    missing=[("a row", "prune-rnn train model=x")],
)


def of_table5() -> Iterator[list[dict[str, str]]]:
    rows, conditions = archive.read(RECORD)
    groups = grouped(row for row in rows if not row.stage)
    every = list(groups.values())
    yield table5.summary(table5.headline(every), 1.0)
    yield table5.against_paper(groups, conditions)
    yield table5.losses(every)
    yield table5.break_even_ranges(every)
    yield table5.break_even_table(every)
    for shape in dict.fromkeys(group.shape for group in every):
        own = [group for group in every if group.shape == shape]
        yield table5.sparse_times(own, {}, 1.0)
        yield table5.by_type(own, 1.0)
        yield table5.dense_times(own, 1.0)


@pytest.fixture(scope="module")
def every(sample: Path) -> list[Table]:
    library = Library([f"results={sample}"])
    layouts = {name: layout(file_of(name)) for name in names()}
    made = [table for name, each in layouts.items() for table in KINDS[each.kind](name, each, library)]
    made += [Table(name="table5", rows=rows) for rows in of_table5() if rows]
    return [STRANGE, *made, provenance(library.comparable())]


class Reader(HTMLParser):
    """Collects the cells by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in ("div", "table", "thead", "tbody", "tr", "th", "td"), tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n")


def split(line: str, mark: str) -> list[str]:
    """Returns the parts of a line between marks that no backslash escapes."""
    parts, escaped = [""], False
    for letter in line:
        if letter == mark and not escaped:
            parts.append("")
        else:
            parts[-1] += letter
        escaped = letter == "\\" and not escaped
    return [part.strip() for part in parts]


def test_every_rendering_has_the_same_rows_and_columns(every: list[Table]) -> None:
    assert len(every) > 12
    for table in every:
        text = [table.columns, *([*row.values()] for row in table.rows)]
        assert Reader(table.html()).rows == [[*map(str, row)] for row in text], table.name
        lines = [line for line in table.markdown().splitlines() if line.startswith("| ")]
        cells = [split(line, "|")[1:-1] for line in lines]
        assert cells.pop(1) == ["---"] * len(table.columns), table.name
        unescaped = [[re.sub(r"\\([\\|<*`])", r"\1", cell) for cell in row] for row in cells]
        assert unescaped == [[" ".join(cell.split()) for cell in row] for row in text], table.name
        latex = [line for line in table.latex().splitlines() if line.endswith("\\\\") and not line.startswith("%")]
        assert [len(split(line, "&")) for line in latex] == [len(row) for row in text], table.name
        assert len(list(csv.DictReader(table.csv().splitlines()))) == len(table.rows)
        plain = table.text()
        assert all(head in plain for head in table.columns if head not in table.widths)


def test_numbers_in_csv_are_unrounded_and_each_column_has_one_or_more(every: list[Table]) -> None:
    for table in every:
        header, *rows = csv.reader(table.csv().splitlines())
        assert len(header) == len(set(header)) >= len(table.columns), table.name
        for row, cells in zip(rows, table.rows, strict=True):
            values = [
                value
                for cell in cells.values()
                for value in (cell.values if isinstance(cell, Cell) else {"": cell}).values()
            ]
            wanted = ["" if value is None else str(value) for value in values]
            assert [value for value in row if value] == [value for value in wanted if value], table.name
    assert "0.3333333333333333" in STRANGE.csv() and "33.3" not in STRANGE.csv()


def test_special_characters_are_escaped_in_each_rendering() -> None:
    row = STRANGE.grid().splitlines()[2]
    assert r"a\|b & \<i>c\</i> 5% d_e #1 \*f\* \`g\`" in row and len(split(row, "|")) == 5
    assert r"a|b \& \ensuremath{<}i\ensuremath{>}" in STRANGE.latex() and r"5\% d\_e \#1" in STRANGE.latex()
    assert "a|b &amp; &lt;i&gt;c&lt;/i&gt;" in STRANGE.html()
    assert next(csv.DictReader(STRANGE.csv().splitlines()))["A|B <b>"] == MARKS
    assert STRANGE.latex().splitlines()[1].startswith("% a|b") and "- a row: `prune-rnn train" in STRANGE.markdown()


def test_a_table_without_rows_has_its_notes_and_rows_must_agree() -> None:
    empty = Table(name="a", title="A", rows=[], notes=["nothing"])
    assert empty.markdown() == "A\n\nNotes:\n\n- nothing\n" and empty.grid() == "" and empty.latex().startswith("% A")
    with pytest.raises(AssertionError):
        Table(rows=[{"a": "1"}, {"b": "1"}])
