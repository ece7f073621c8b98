"""KEY=VALUE words of a command line, for the command words that Hydra has no part in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prune_rnn.nearest import nearest

Options = TypeVar("Options")


def parse(words: Sequence[str], schema: type[Options]) -> tuple[list[str], Options]:
    """Returns (the words that are no KEY=VALUE, the options); ValueError names the key, the value and the way out.

    schema: a dataclass; a word whose KEY is not an identifier (a path, say) is no option.
    """
    keys = [field.name for field in dataclasses.fields(schema)]  # type: ignore[arg-type]
    options = OmegaConf.structured(schema)
    others = []
    for word in words:
        key, equals, _ = word.partition("=")
        if not equals or not key.isidentifier():
            others.append(word)
            continue
        if key not in keys:
            raise ValueError(f"{key}: no such key; {nearest(key, keys)}")
        try:
            options = OmegaConf.merge(options, OmegaConf.from_dotlist([word]))
        except (OmegaConfBaseException, yaml.YAMLError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{word}: {reason}") from None
    parsed: Options = OmegaConf.to_object(options)  # type: ignore[assignment]
    return others, parsed
