"""`python -m prune_rnn.cli.help` writes every key with its default and help, from the schema, into conf/README.md."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, get_type_hints

import yaml
from omegaconf import OmegaConf

from prune_rnn import paths
from prune_rnn.config.compose import compose
from prune_rnn.config.config import Config
from prune_rnn.config.option import registered
from prune_rnn.typed import Plain

_LONGEST = 24  # characters of a default that is shown
_PAPER_UNITS = 2560  # of GRU Dense


def typed(value: Any) -> str:
    """Returns the value in the form of the command line; "..." where it is required or long.

    >>> [typed(value) for value in (None, True, [0.5, 1], "cpu", "???", {"a": ["b" * 30]})]
    ['null', 'true', '[0.5,1]', 'cpu', '...', '...']
    """
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, list):
        text = f"[{','.join(map(typed, value))}]"
    else:
        text = "null" if value is None else str(value)
    return "..." if text == "???" or len(text) > _LONGEST else text


def _keys(schema: type, defaults: Plain, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yields (key, default, help) of a dataclass, without its groups; an Enum's help lists its members."""
    hints = get_type_hints(schema)
    for field in dataclasses.fields(schema):
        text, kind = field.metadata.get("help", ""), hints[field.name]
        if isinstance(kind, type) and issubclass(kind, Enum):
            text += f": {', '.join(member.name for member in kind)}"
        if prefix or field.name not in registered():
            yield f"`{prefix}{field.name}`", f"`{typed(defaults.get(field.name, '???'))}`", text


def _composed(*overrides: str) -> Plain:
    plain: Plain = OmegaConf.to_container(compose(overrides), resolve=True, enum_to_str=True)  # type: ignore[assignment]
    return plain


def _options(group: str) -> Iterator[tuple[str, str]]:
    """Yields (option, the comment that its YAML file begins with) of a group; the default one is marked."""
    listed = yaml.safe_load((paths.conf() / "config.yaml").read_text())["defaults"]
    for option in paths.options(group):
        head = re.match(r"(?:#.*\n)*", (paths.conf() / group / f"{option}.yaml").read_text())
        lines = (head[0] if head else "").splitlines()
        yield f"`{option}`{' (default)' * ({group: option} in listed)}", " ".join(line.lstrip("# ") for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells)


def keys_table() -> str:
    """Returns all options and keys as Markdown, with the defaults of the default configuration."""
    parts, help = [], {field.name: field.metadata.get("help", "") for field in dataclasses.fields(Config)}
    for group, classes in sorted(registered().items(), key=lambda entry: entry[0] == "scale"):  # it only sets defaults
        parts.append(f"### `{group}`: {help[group]}" if group else "### Of a run")
        if options := list(_options(group)) if group else []:
            parts.append(_table(["option", "meaning"], options))
        for option, schema in classes.items():
            composed = _composed(f"{group}={option}") if option else _composed()
            if option:
                parts.append(f"With `{group}={option}`:")
            rows = _keys(schema, composed[group], f"{group}.") if group else _keys(schema, composed, "")
            parts.append(_table(["key", "default", "meaning"], rows))
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
    """Returns the text of conf/README.md with new tables between its marks."""
    for mark, made in (("scales", scales_table()), ("keys", keys_table())):
        before, start, rest = text.partition(f"<!-- {mark} -->\n\n")
        _, end, after = rest.partition("\n\n<!-- end -->")
        if not end:
            raise ValueError(f"conf/README.md: has no '<!-- {mark} -->' and '<!-- end -->', each between empty lines")
        text = before + start + made + end + after
    return text


if __name__ == "__main__":
    readme = paths.conf() / "README.md"
    readme.write_text(filled(readme.read_text()))
    print(f"written: {readme}")
