"""The keys of a run, for help and completion, from the tables of conf/README.md: the schema takes seconds to import.

`python -m prune_rnn.cli.help` writes the tables.
"""

from __future__ import annotations

import re
import textwrap
from functools import cache

from prune_rnn import paths


@cache
def _lines() -> list[str]:
    text = (paths.conf() / "README.md").read_text(encoding="utf-8")
    return text.partition("<!-- keys -->")[2].partition("<!-- end -->")[0].replace("`", "").splitlines()


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def keys() -> list[str]:
    """Returns all keys of a run, in dots, sorted."""
    rows = [_cells(line) for line in _lines() if line.startswith("| ")]
    return sorted({row[0] for row in rows if len(row) == 3} - {"key", "---"})


def options() -> list[str]:
    """Returns every option of every group, GROUP=OPTION, sorted."""
    return [f"{group}={option}" for group in paths.groups() for option in paths.options(group)]


def keys_help(width: int) -> str:
    """Returns all keys with their defaults, and the options of each group, in lines of at most `width` columns."""
    parts = ["Keys, with their defaults (null: not set):"]
    table: list[tuple[str, str]] = []
    for line in [*_lines(), ""]:
        if line.startswith("| "):
            *names, meaning = _cells(line)
            if names[0] not in ("key", "option", "---"):
                table.append(("=".join(names), meaning))
            continue
        column = max((len(name) for name, _ in table), default=0) + 4
        for name, meaning in table:
            text = f"  {name:<{column - 4}}  {meaning}"
            parts += textwrap.wrap(text, width, subsequent_indent=" " * column)
        table = []
        if line:
            parts += ["", line.lstrip("# ")]
    return "\n".join(parts) + "\n"
