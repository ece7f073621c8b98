"""A table of the report, and its renderings: Markdown, CSV, LaTeX, HTML and text for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from tabulate import tabulate

DASH = "-"
_TERMINAL = 120  # characters a line; a table with wider columns is split
Value = str | int | float | None


class Cell(str):
    """A cell's text, with the unrounded values behind it.

    values: by their column in CSV; "" stands for the table's own column. Text without values is its own value.

    >>> cell = Cell("21.00 ± 1.41", cer=0.21, cer_deviation=0.0141)
    >>> print(cell, cell.values)
    21.00 ± 1.41 {'cer': 0.21, 'cer_deviation': 0.0141}
    """

    values: dict[str, Value]

    def __new__(cls, text: str, *value: Value, **named: Value) -> Cell:
        cell = super().__new__(cls, text)
        cell.values = {**({"": value[0]} if value else {}), **named}
        return cell


def number(value: float | None, form: str, name: str = "", *, scale: float = 1.0) -> Cell:
    """Returns a cell that shows `scale` times the value, or a dash for None, and holds the value.

    >>> number(0.2613, ".2f", scale=100), number(None, ".2f")
    ('26.13', '-')
    """
    return Cell(DASH if value is None else format(value if scale == 1 else scale * value, form), **{name: value})


Row = Mapping[str, str]  # by the column's head


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. All its rows have the same columns.

    name: of its files and its anchor on the page. caption: what the columns mean. missing: (label, command that trains
    it) of the rows without a run. findings: the table in sentences, for the head of the page.
    """

    rows: Sequence[Row]
    name: str = ""
    title: str = ""
    caption: str = ""
    notes: Sequence[str] = ()
    missing: Sequence[tuple[str, str]] = ()
    findings: Sequence[str] = ()
    widths: Mapping[str, int] = field(default_factory=dict)  # in characters, of columns that a terminal wraps

    def __post_init__(self) -> None:
        assert all(list(row) == self.columns for row in self.rows), "rows differ in their columns"

    @property
    def columns(self) -> list[str]:
        """The heads of the columns; none without rows."""
        return list(self.rows[0]) if self.rows else []

    @property
    def heading(self) -> str:
        """Title and caption in one line."""
        return ". ".join(part for part in (self.title, self.caption) if part)

    def grid(self) -> str:
        """Returns the rows alone as Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *(list(row.values()) for row in self.rows)]
        return "\n".join("| " + " | ".join(map(_markdown, line)) + " |" for line in lines) if self.rows else ""

    def below(self) -> str:
        """Returns the notes and the missing rows as Markdown."""
        notes = "\n".join(f"- {_markdown(note)}" for note in self.notes)
        missing = "\n".join(f"- {_markdown(label)}: `{command}`" for label, command in self.missing)
        return "\n\n".join([*(["Notes:", notes] if notes else []), *(["No run yet:", missing] if missing else [])])

    def markdown(self) -> str:
        """Returns the whole table as Markdown."""
        return "\n\n".join(part for part in (self.heading, self.grid(), self.below()) if part) + "\n"

    def latex(self) -> str:
        """Returns the rows for LaTeX (booktabs), after title, notes and missing rows as comments."""
        missing = [f"No run yet: {label}: {command}" for label, command in self.missing]
        comments = [text for text in (self.heading, *self.notes, *missing) if text]
        return "".join(f"% {' '.join(text.split())}\n" for text in comments) + self._laid_out("latex_booktabs") + "\n"

    def csv(self) -> str:
        """Returns the unrounded values of the cells; an empty cell for None."""
        names = {
            head: list(dict.fromkeys(name for row in self.rows for name in _values(row[head]))) for head in self.columns
        }
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([name or head for head, its in names.items() for name in its])
        for row in self.rows:
            writer.writerow([_values(row[head]).get(name) for head, its in names.items() for name in its])
        return file.getvalue()

    def html(self, kind: str = "") -> str:
        """Returns the rows as an HTML table in a box that scrolls, also by keyboard. kind: the table's class."""
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in self.columns)
        body = "".join(
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
            + "</tr>\n"
            for first, *rest in (row.values() for row in self.rows)
        )
        box = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(self.title)}">'
        return f'{box}<table class="{kind}"><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'

    def text(self) -> str:
        """Returns the rows for a terminal. Columns beyond its width follow below, after a repeated first column."""
        if not self.rows:
            return ""
        own = {head: max(len(head) + 2, *(len(row[head]) for row in self.rows)) for head in self.columns}
        parts: list[list[str]] = [[]]
        for head in self.columns:
            wide = sum(min(own[each], self.widths.get(each, own[each])) + 2 for each in [*parts[-1], head])
            if wide > _TERMINAL and len(parts[-1]) > 1:
                parts.append(self.columns[:1])
            parts[-1].append(head)
        return "\n\n".join(self._laid_out("simple", part) for part in parts)

    def _laid_out(self, form: str, columns: Sequence[str] = ()) -> str:
        if not self.rows:
            return ""
        columns = columns or self.columns
        widths = [self.widths.get(head) for head in columns] if form == "simple" and self.widths else None
        rows = [[str(row[head]) for head in columns] for row in self.rows]
        return tabulate(rows, columns, tablefmt=form, disable_numparse=True, maxcolwidths=widths)


def _values(cell: str) -> dict[str, Value]:
    return (cell.values if isinstance(cell, Cell) else {}) or {"": str(cell)}


def _markdown(text: str) -> str:
    r"""Returns the text in one line, with marks that end a cell or begin markup escaped.

    >>> print(_markdown("a|b <c> *d*"))
    a\|b \<c> \*d\*
    """
    for mark in ("\\", "|", "<", "*", "`"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
