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


def parse(arguments: Sequence[str], schema: type[Options]) -> tuple[list[str], Options]:
    """Returns (the arguments not of the form KEY=VALUE, the options); UsageError names key, value and the way out.

    schema: a dataclass; an argument whose KEY is not an identifier (a path, say) is not an option, nor
    is the name of a file that is there.
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
            raise UsageError(f"{key}: no such key; {nearest(key, keys)}; if it is a file, write ./{shown(argument)}")
        kind = get_type_hints(schema)[key]
        text = kind in (str, str | None) and value != "null"
        try:
            if not value:
                raise ValueError("has no value")
            given = OmegaConf.create({key: value}) if text else OmegaConf.from_dotlist([argument])
            options = OmegaConf.merge(options, given)
        except (OmegaConfBaseException, yaml.YAMLError, RecursionError, ValueError) as error:
            reason = "is no list" if "ListConfig" in str(error) else str(error).partition("\n")[0]
            raise UsageError(f"{shown(argument)}: {reason[:200]}; {_expected(key, value, kind)}") from None
    with of_the_command_line():
        parsed: Options = OmegaConf.to_object(options)  # type: ignore[assignment]
        expand_home(parsed)
    return others, parsed


def _expected(key: str, value: str, kind: Any) -> str:
    """Returns what to give for a key of that type."""
    inner = (
        next((part for part in get_args(kind) if part is not NoneType), kind) if NoneType in get_args(kind) else kind
    )
    if get_origin(inner) is list:
        return f"give a list, such as {key}=[{shown(value.strip('[]')) or '...'}]"
    if isinstance(inner, type) and issubclass(inner, Enum):
        return "choose one of " + ", ".join(inner.__members__)
    kinds: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false"}
    return f"give {kinds.get(inner, 'text')}, or leave it out"
