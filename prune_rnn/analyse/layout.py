"""conf/table/<name>.yaml, typed: the rows of a table as overrides, and how they are laid out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from prune_rnn import paths
from prune_rnn.typed import Plain, typed
from prune_rnn.usage import UsageError


@dataclass(slots=True, kw_only=True)
class RowLayout:
    """One row.

    overrides: of `prune-rnn train`. baseline, against: overrides or labels of the networks that the row is compared
    with. init: overrides of the network that its runs start from, seed by seed; of several, each starts from the one
    before. teacher: overrides of the network that its runs learn from. paper: the paper's values, by column.
    """

    overrides: str
    label: str = ""
    family: str = ""
    baseline: str = ""
    against: str = ""
    init: list[str] = field(default_factory=list)
    teacher: str = ""
    paper: Plain = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Layout:
    """One table.

    kind: the module of `prune_rnn.report` that lays it out. seeds: runs of each row. columns: the settings that
    `compare` shows. against: the heading for each row's `against`. pairs: labels of rows to compare.
    """

    kind: str
    rows: list[RowLayout]
    title: str = ""
    caption: str = ""
    seeds: int = 1
    columns: list[str] = field(default_factory=list)
    against: str = ""
    pairs: list[list[str]] = field(default_factory=list)

    def others(self, row: RowLayout) -> list[RowLayout]:
        """Returns the networks that a row is compared with: its baseline and its `against`, if any."""
        labels = {each.label: each for each in self.rows if each.label}
        return [labels.get(words) or RowLayout(overrides=words) for words in (row.baseline, row.against) if words]

    def every(self) -> list[RowLayout]:
        """Returns the rows, each followed by those that it is compared with."""
        return [each for row in self.rows for each in (row, *self.others(row))]


def names() -> list[str]:
    """Returns the tables of conf/table that list rows, Table 3 first; Table 5 is measured by `prune-rnn bench`."""
    found = {path.stem for path in (paths.conf() / "table").glob("*.yaml")} - {"table5"}
    return sorted(found, key=lambda name: (name != "table3", name))


def file_of(name: str) -> Path:
    """Returns the YAML file of a table, from its name in conf/table or its path.

    UsageError where there is no such file. A file with the name of a table in conf/table is refused: it would replace
    that table's results.
    """
    shipped = paths.conf() / "table"
    path = Path(name) if name.endswith(".yaml") else shipped / f"{name}.yaml"
    if not path.is_file() or name == "table5":
        raise UsageError(f"--table {name}: there is no such table; give one of {', '.join(names())}, or a YAML file")
    taken = {f"{each}{part}": each for each in (*names(), "table5") for part in ("", "_pairs", "_registered")}
    own = shipped / path.name
    if (built_in := taken.get(path.stem)) and not (own.is_file() and path.samefile(own)):
        raise UsageError(
            f"--table {name}: would replace files of the built-in table {built_in}; rename it, e.g. my_{path.name}"
        )
    return path


def layout(file: Path) -> Layout:
    """Returns the table of a YAML file; UsageError where the file is wrong."""
    try:
        found = typed(Layout, yaml.safe_load(file.read_text(encoding="utf-8")))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file}: can't be read as YAML ({' '.join(str(error).split())}); correct it") from None
    except ValueError as error:
        raise UsageError(f"{file}: {error}; correct it") from None
    if not found.rows or found.seeds < 1:
        raise UsageError(f"{file}: {'rows is empty' if not found.rows else 'seeds is below 1'}; give one or more")
    return found
