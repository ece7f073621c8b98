"""`prune-rnn report`: Table 3, the figures and the page, from the runs there are."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from prune_rnn import paths
from prune_rnn.files import write_atomically
from prune_rnn.table import pairs, table3
from prune_rnn.table.agreement import agree
from prune_rnn.table.comparison import compare, heard
from prune_rnn.table.figures.catalogue import draw_all
from prune_rnn.table.figures.style import Material
from prune_rnn.table.page import Contents, page
from prune_rnn.table.rows import collect, comparable

_ESCAPE = "backslashreplace"  # the name of a folder need not be text


def report(overrides: Sequence[str]) -> str:
    """Writes the table as Markdown, CSV and LaTeX, the figures and the page below `results`; returns what to print."""
    shared, found = collect(overrides)
    rows, warnings = agree(found)
    edits = heard(rows)
    lines, notes = compare(rows, edits)
    paired, unpaired = pairs.compare_pairs(rows, edits)
    notes += unpaired
    if any(line.interval and len(line.interval.seeds) == 1 for line in lines):
        notes = [table3.NOTE_ONE_SEED, *notes]
    notes = [*(f"Warning: {warning}" for warning in warnings), *notes]
    missing = [(row.label, row.command) for row in rows if not row.runs]
    caption = table3.caption(shared, lines)
    special = [o for o in overrides if o.split("=")[0] not in ("scale", "results", "device", "threads")]
    if special:  # a table of its own beside that of the defaults
        caption += f" With {shlex.join(special)}."
    mark = "_" + hashlib.sha256(shlex.join(sorted(special)).encode()).hexdigest()[:6] if special else ""
    suffix, results = f"{shared.scale.name}{mark}", Path(shared.results)

    printed = table3.printed(lines)
    compared = pairs.printed(paired)
    base = paths.tables(results) / f"table3_{suffix}"
    written = {
        "md": f"{caption}\n\n{table3.laid_out(printed, 'github')}{_below(notes, missing)}\n"
        + _pairs(compared, "github"),
        "csv": table3.numbers(lines).to_csv(index=False),
        "tex": "".join(f"% {text}\n" for text in [caption, *notes]) + table3.laid_out(printed, "latex_booktabs") + "\n",
    }
    for ending, content in written.items():
        write_atomically(base.with_suffix(f".{ending}"), content.encode(errors=_ESCAPE))

    runs = comparable(shared)
    drawn, skipped = draw_all(Material(rows, runs), paths.figures(results), suffix)
    shown = {run.name: run for run in [*(run for row in found for run in row.runs), *runs]}
    contents = Contents(
        command=shlex.join(["prune-rnn", "report", *overrides]),
        caption=caption,
        table=printed,
        pairs=compared,
        notes=notes,
        missing=missing,
        figures=drawn,
        runs=[shown[name] for name in sorted(shown)],
    )
    write_atomically(results / paths.PAGE, page(contents).encode(errors=_ESCAPE))

    told = [f"written: {base}.{{{','.join(written)}}}"]
    told += [f"written: {figure.png.with_suffix('')}.{{png,svg}}" for figure in drawn]
    told += [f"skipped: figure {name}, no runs for it" for name in skipped]
    told += [f"written: {results / paths.PAGE}"]
    below = _below(notes, missing).replace("`", "")
    return f"{caption}\n\n{table3.for_terminal(printed)}{below}\n{_pairs(compared, 'simple')}\n" + "\n".join(told)


def _pairs(compared: pd.DataFrame, form: str) -> str:
    """Returns the rows compared with each other, under a line that says so; nothing where there are none."""
    return "" if compared.empty else f"\n{table3.PAIRS}\n\n{table3.laid_out(compared, form)}\n"


def _below(notes: Sequence[str], missing: Sequence[tuple[str, str]]) -> str:
    """Returns what stands under the table, in Markdown."""
    text = "".join(f"\n- {note}" for note in notes)
    text = f"\n\nNotes:\n{text}" if text else ""
    lines = "\n".join(f"- {label}: `{command}`" for label, command in missing)
    return text + (f"\n\nNo run yet:\n\n{lines}" if lines else "")
