"""`prune-rnn report`: every table, the figures and the page, from the runs there are."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from prune_rnn import paths
from prune_rnn.analyse.agreement import agree
from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.layout import Layout, file_of, layout, names
from prune_rnn.analyse.rows import Library, no_runs
from prune_rnn.config.config import compose_config
from prune_rnn.files import write_atomically
from prune_rnn.printed import one_line
from prune_rnn.report import compare, forecast, frontier, pairs, table1, table2, table3
from prune_rnn.report.base import Table
from prune_rnn.report.check import check_keys, check_rows
from prune_rnn.report.figures.catalogue import draw_all
from prune_rnn.report.figures.style import Material
from prune_rnn.report.page import Section, page
from prune_rnn.report.table5 import write as table5
from prune_rnn.run.store import all_runs
from prune_rnn.usage import FAULTS, UsageError

Kind = Callable[[str, Layout, Library], list[Table]]
KINDS: dict[str, Kind] = {
    "table3": table3.tables,
    "compare": compare.tables,
    "pairs": pairs.tables,
    "frontier": frontier.tables,
    "forecast": forecast.tables,
    "table1": table1.tables,
    "table2": table2.tables,
}
_FIRST = "table3"  # written for every scale, and drawn
_ESCAPE = "backslashreplace"  # the name of a folder need not be text
_UNMARKED = ("scale", "results", "device", "threads")  # overrides that do not change what a table is of


def report(overrides: Sequence[str], tables: Sequence[str] = (), missing: bool = False) -> str:
    """Writes the tables, the figures and the page below `results`; returns what to print.

    tables: names or YAML files of the only tables to write, without figures and page; none: all tables. missing: write
    nothing and return the commands that train what the tables have no runs for.
    """
    layouts = layouts_of(tables)
    if missing:
        library = Library(overrides)
        check_rows_of(tables or names(), layouts, library)
        return "\n".join(commands(layouts, library))
    scales, unknown = _scales(overrides)
    libraries = [Library(words) for words in scales]
    if libraries[0].empty:
        raise no_runs(libraries[0].shared)
    for library in libraries:
        check_rows_of(tables, layouts, library)
    results = Path(libraries[0].shared.results)
    special = [each for each in overrides if each.split("=")[0] not in _UNMARKED]
    sections: list[Section] = []
    runs: dict[str, Finished] = {}
    printed: list[str] = []
    written = [f"skipped: runs at scale={scale}, which conf/scale does not have" for scale in unknown]
    for library in libraries:
        made, skipped = _made(library, layouts, special, every=not tables)
        written += [*skipped, *(_write(table, paths.tables(results)) for table in made)]
        printed += [_printed(table) for table in made if tables or table.name.startswith(_FIRST)]
        if not tables:
            section, own, drawn = _section(library, layouts[_FIRST], made, special)
            sections.append(section)
            runs |= {run.name: run for run in own}
            written += drawn
    if not tables:
        speed, unread = _speed(paths.table5(results))
        command = shlex.join(["prune-rnn", "report", *overrides])
        text = page(command, sections, speed, [runs[name] for name in sorted(runs)])
        write_atomically(results / paths.PAGE, text.encode(errors=_ESCAPE))
        written += [*unread, f"written: {results / paths.PAGE}"]
    return "\n\n".join([*printed, "\n".join(written)])


def _made(
    library: Library, layouts: Mapping[str, Layout], special: Sequence[str], *, every: bool
) -> tuple[list[Table], list[str]]:
    """Returns the tables of one scale, and a line for each that is skipped. every: skip those without any run."""
    scale = library.shared.scale.name
    made: list[Table] = []
    skipped: list[str] = []
    for name, each in layouts.items():
        if every and name != _FIRST and (why := _lacking_runs(each, library)):
            skipped.append(f"not made: table {name} at scale={scale}, {why}")
        else:
            made += KINDS[each.kind](name, each, library)
    further = f" With {shlex.join(special)}." if special else ""
    suffix = scale + _mark(special)
    return [replace(each, name=f"{each.name}_{suffix}", caption=f"{each.caption}{further}") for each in made], skipped


def _write(table: Table, folder: Path) -> str:
    """Writes a table as Markdown, CSV and LaTeX; returns what to print."""
    for ending, content in (("md", table.markdown()), ("csv", table.csv()), ("tex", table.latex())):
        write_atomically(folder / f"{table.name}.{ending}", content.encode(errors=_ESCAPE))
    count = len(table.missing)
    lacking = f", {count} {'row has' if count == 1 else 'rows have'} no run yet" if count else ""
    return f"written: {folder / table.name}.{{md,csv,tex}}{lacking}"


def _section(
    library: Library, first: Layout, made: list[Table], special: Sequence[str]
) -> tuple[Section, list[Finished], list[str]]:
    """Draws the figures of one scale; returns its section of the page, the runs shown, and what to print."""
    rows, same_data = library.rows(first.rows), library.comparable()
    folder = paths.figures(Path(library.shared.results))
    suffix = library.shared.scale.name + _mark(special)
    drawn, skipped = draw_all(Material(agree(rows)[0], same_data), made, folder, suffix)
    lines = [f"written: {figure.png.with_suffix('')}.{{png,svg}}" for figure in drawn]
    lines += [f"skipped: figure {name}, no runs for it" for name in skipped]
    return Section(made, drawn), [*(run for row in rows for run in row.runs), *same_data], lines


def _speed(folder: Path) -> tuple[list[Table], list[str]]:
    """Returns Table 5 of each record of `prune-rnn bench`, and a line for each unreadable record."""
    found, unread = [], []
    for record in sorted(folder.glob("*/conditions.json")):
        try:
            found.append(table5.shown(record.parent))
        except FAULTS as error:
            unread.append(f"skipped: Table 5 of {record.parent}: {one_line(str(error))}")
    return found, unread


def layouts_of(tables: Sequence[str] = ()) -> dict[str, Layout]:
    """Returns the tables of these names or YAML files, none: all; UsageError for one of an unknown kind."""
    layouts: dict[str, Layout] = {}
    files: dict[str, Path] = {}
    for name in tables or names():
        file = file_of(name)
        each = layout(file)
        if each.kind not in KINDS:
            raise UsageError(f"--table {name}: kind={each.kind} is not one of {', '.join(KINDS)}; correct it")
        if not files.setdefault(file.stem, file).samefile(file):
            raise UsageError(f"--table {name}: {files[file.stem]} has the same name, and so the same files; rename one")
        check_keys(file, each)
        layouts[file.stem] = each
    return layouts


def check_rows_of(tables: Sequence[str], layouts: Mapping[str, Layout], library: Library) -> None:
    """Raises UsageError that names the file and the row of overrides that make no network. tables: as for `report`."""
    for file in map(file_of, tables):
        check_rows(file, layouts[file.stem], library)


def _scales(overrides: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Returns the overrides for each scale with a finished run, the default first; and scales that conf/scale lacks.

    Overrides that name a scale are returned alone.
    """
    if any(each.partition("=")[0] == "scale" for each in overrides):
        return [list(overrides)], []
    config = compose_config([each for each in overrides if each.partition("=")[0] == "results"])
    there = {run.config().scale.name for run in all_runs(Path(config.results)) if run.finished}
    usual = config.scale.name
    others = [[*overrides, f"scale={scale}"] for scale in paths.options("scale") if scale in there - {usual}]
    own = [list(overrides)] if usual in there or not others else []
    return [*own, *others], sorted(there.difference(paths.options("scale")))


def _mark(special: Sequence[str]) -> str:
    """Returns a suffix for the names of tables that are not of the default configuration."""
    return "_" + hashlib.sha256(shlex.join(sorted(special)).encode()).hexdigest()[:6] if special else ""


def _lacking_runs(each: Layout, library: Library) -> str:
    """Returns why there is no table at this scale; empty where there is one."""
    try:
        return "" if any(row.runs for row in library.rows(each.rows)) else "no runs for it"
    except ValueError as error:  # no network of this scale can be pruned so far
        return str(error)


def _printed(table: Table) -> str:
    below = table.below().replace("`", "").replace("\\", "")
    return "\n\n".join(part for part in (table.heading, table.text(), below) if part)


def commands(layouts: Mapping[str, Layout], library: Library) -> list[str]:
    """Returns the commands of all missing runs, seed after seed, each once.

    Where a run starts from another or learns from it, the other's command comes in its place until that is there.
    """
    found: dict[str, int] = {}
    for each in layouts.values():
        for row in each.every():
            for seed, command in library.row(row).commands(each.seeds):
                found.setdefault(command, seed)
    return sorted(found, key=found.__getitem__)
