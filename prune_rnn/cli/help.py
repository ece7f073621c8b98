"""`python -m prune_rnn.cli.help` writes every key with its default and help, from the schema, into conf/README.md."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from omegaconf import OmegaConf

from prune_rnn import paths
from prune_rnn.compose import compose
from prune_rnn.config import Config
from prune_rnn.schema import registered
from prune_rnn.typed import Plain

_LONGEST = 24  # characters of a default that is shown
_PAPER_UNITS = 2560  # of GRU Dense


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One line of help. default: as it would be typed; "..." where there is none, or one too long to show."""

    name: str
    default: str
    help: str


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """The keys of one class. group: "" for the root; option: "" where the class serves all options of its group."""

    group: str
    option: str
    help: str
    keys: list[Key]


def typed(value: Any) -> str:
    """Returns the value as it would be typed on a command line.

    >>> [typed(value) for value in (None, True, [0.5, 1], "cpu", "???", {"a": ["b" * 30]})]
    ['null', 'true', '[0.5,1]', 'cpu', '...', '...']
    """
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, list):
        text = f"[{','.join(map(typed, value))}]"
    elif isinstance(value, Enum):
        text = value.name
    else:
        text = "null" if value is None else str(value)
    return "..." if text == "???" or len(text) > _LONGEST else text


def keys_of(schema: type, defaults: Plain, prefix: str = "") -> list[Key]:
    """Returns the keys of a dataclass; those of an Enum say what there is to choose from."""
    hints = get_type_hints(schema)
    found = []
    for field in dataclasses.fields(schema):
        text, kind = field.metadata.get("help", ""), hints[field.name]
        if isinstance(kind, type) and issubclass(kind, Enum):
            text += f": {', '.join(member.name for member in kind)}"
        found.append(Key(prefix + field.name, typed(defaults.get(field.name, "???")), text))
    return found


@cache
def sections() -> tuple[Section, ...]:
    """Returns the keys of a run, a section per class; the defaults are those of the default configuration."""
    classes, defaults = registered(), _composed()
    group_help = {field.name: field.metadata.get("help", "") for field in dataclasses.fields(Config)}
    found = [Section("", "", "", [key for key in keys_of(Config, defaults) if key.name not in classes])]
    for group in sorted(filter(None, classes), key=lambda group: group == "scale"):  # last: it only sets defaults
        for option, schema in classes[group].items():
            node = (_composed(f"{group}={option}") if option else defaults)[group]
            found.append(Section(group, option, group_help[group], keys_of(schema, node, f"{group}.")))
    return tuple(found)


def _composed(*overrides: str) -> Plain:
    plain: Plain = OmegaConf.to_container(compose(overrides), resolve=True, enum_to_str=True)  # type: ignore[assignment]
    return plain


def _chosen(group: str) -> str:
    """Returns the default option of a group: what conf/config.yaml's defaults list names."""
    defaults = yaml.safe_load((paths.conf() / "config.yaml").read_text())["defaults"]
    return str(next(entry[group] for entry in defaults if isinstance(entry, dict) and group in entry))


def _described(group: str, option: str) -> str:
    """Returns the comment that an option's YAML file begins with."""
    head = re.match(r"(?:#.*\n)*", (paths.conf() / group / f"{option}.yaml").read_text())
    return " ".join(line.removeprefix("#").strip() for line in (head[0] if head else "").splitlines())


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells)


def keys_table() -> str:
    """Returns all options and keys as Markdown."""
    parts, last = [], None
    for section in sections():
        if section.group != last:
            parts.append(f"### `{section.group}`: {section.help}" if section.group else "### Of a run")
            if section.group and (options := paths.options(section.group)):
                chosen = _chosen(section.group)
                named = [(f"`{o}`{' (default)' * (o == chosen)}", _described(section.group, o)) for o in options]
                parts.append(_table(["option", "meaning"], named))
        if section.option:
            parts.append(f"With `{section.group}={section.option}`:")
        rows = [(f"`{key.name}`", f"`{key.default}`", key.help) for key in section.keys]
        parts.append(_table(["key", "default", "meaning"], rows))
        last = section.group
    return "\n\n".join(parts)


def scales_table() -> str:
    """Returns the scales side by side as Markdown, made from their YAML files."""
    rows = []
    for option in paths.options("scale"):
        scale = yaml.safe_load((paths.conf() / "scale" / f"{option}.yaml").read_text())
        steps = scale["steps_per_epoch"] or "one pass over all batches"
        units = round(_PAPER_UNITS * scale["width"])
        shown = [scale[key] for key in ("conv_channels", "train_hours", "epochs")]
        rows.append((f"`{option}`", units, *shown, steps, scale["batch_size"]))
    head = ["scale", "units of GRU Dense", "convolution channels", "hours of training speech", "epochs"]
    return _table([*head, "steps per epoch", "utterances per batch"], rows)


def filled(text: str) -> str:
    """Returns conf/README.md with what stands between its marks made anew."""
    for mark, made in (("scales", scales_table()), ("keys", keys_table())):
        before, start, rest = text.partition(f"<!-- {mark} -->\n\n")
        _, end, after = rest.partition("\n\n<!-- end -->")
        if not end:
            raise ValueError(f"conf/README.md: has no '<!-- {mark} -->' and '<!-- end -->', each between empty lines")
        text = before + start + made + end + after
    return text


def _rewrite(path: Path) -> None:
    path.write_text(filled(path.read_text()))
    print(f"written: {path}")


if __name__ == "__main__":
    _rewrite(paths.conf() / "README.md")
