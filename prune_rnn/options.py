"""KEY=VALUE arguments, for the commands that Hydra has no part in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prune_rnn.nearest import nearest
from prune_rnn.schema import expand_home
from prune_rnn.usage import UsageError, of_the_command_line, shown

Options = TypeVar("Options")


def parse(
    arguments: Sequence[str], schema: type[Options], *, files: bool = True, flags: Sequence[str] = ()
) -> tuple[list[str], Options]:
    """Returns (the arguments not of the form KEY=VALUE, the options); UsageError names key, value and the way out.

    schema: a dataclass; an argument whose KEY is not an identifier (a path, say) is not an option, nor
    is the name of a file that is there. files: the command takes files. flags: what it takes as --FLAG.
    """
    keys = [field.name for field in dataclasses.fields(schema)]  # type: ignore[arg-type]
    options = OmegaConf.structured(schema)
    others = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not key.isidentifier() or (key not in keys and Path(argument).exists()):
            others.append(argument)
            continue
        if key not in keys:
            file = f" (if it is a file, write ./{shown(argument)})" if files else ""
            known = f"did you mean --{key}?" if f"--{key}" in flags else nearest(key, keys)
            raise UsageError(f"{key}: no such key{file}; {known}")
        kind = get_type_hints(schema)[key]
        text = kind in (str, str | None) and value != "null"
        try:
            if not value:
                raise ValueError("has no value")
            given = OmegaConf.create({key: value}) if text else OmegaConf.from_dotlist([argument])
            options = OmegaConf.merge(options, given)
        except (OmegaConfBaseException, yaml.YAMLError, RecursionError, ValueError) as error:
            raise UsageError(f"{shown(argument)}: {_wrong(key, value, kind, error)}") from None
    with of_the_command_line():
        parsed: Options = OmegaConf.to_object(options)  # type: ignore[assignment]
        expand_home(parsed)
    return others, parsed


def _wrong(key: str, value: str, kind: Any, error: Exception) -> str:
    """Returns what is wrong with the value for a key of that type, and what to give."""
    inner = (
        next((part for part in get_args(kind) if part is not NoneType), kind) if NoneType in get_args(kind) else kind
    )
    reason = str(error).partition("\n")[0][:200]
    if get_origin(inner) is list:
        reason = "is no list" if "ListConfig" in reason else reason
        return f"{reason}; give a list, such as {key}=[{shown(value.strip('[]')) or '...'}]"
    of_another_type = isinstance(error, OmegaConfBaseException)
    if isinstance(inner, type) and issubclass(inner, Enum):
        way = "choose one of " + ", ".join(inner.__members__)
        return way if of_another_type else f"{reason}; {way}"
    name = {int: "a whole number", float: "a number", bool: "true or false"}.get(inner)
    return f"must be {name}" if name and of_another_type else f"{reason}; give {name or 'text'}, or leave it out"
