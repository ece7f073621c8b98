"""KEY=VALUE arguments, for the commands that Hydra has no part in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prune_rnn.nearest import nearest

Options = TypeVar("Options")


def parse(arguments: Sequence[str], schema: type[Options]) -> tuple[list[str], Options]:
    """Returns (the arguments not of the form KEY=VALUE, the options); ValueError names key, value and the way out.

    schema: a dataclass; an argument whose KEY is not an identifier (a path, say) is not an option.
    """
    keys = [field.name for field in dataclasses.fields(schema)]  # type: ignore[arg-type]
    options = OmegaConf.structured(schema)
    others = []
    for argument in arguments:
        key, equals, _ = argument.partition("=")
        if not equals or not key.isidentifier():
            others.append(argument)
            continue
        if key not in keys:
            raise ValueError(f"{key}: no such key; {nearest(key, keys)}")
        try:
            options = OmegaConf.merge(options, OmegaConf.from_dotlist([argument]))
        except (OmegaConfBaseException, yaml.YAMLError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{argument}: {reason}") from None
    parsed: Options = OmegaConf.to_object(options)  # type: ignore[assignment]
    return others, parsed
