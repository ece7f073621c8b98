"""What is wrong with overrides that Hydra refuses, in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from prune_rnn import paths
from prune_rnn.nearest import nearest
from prune_rnn.schema import having, keys


def first_line(error: Exception) -> str:
    """Returns the first line of an error of Hydra or OmegaConf, with the key in front where it names one further down.

    >>> first_line(ValueError("Value 'many' is no integer\\n    full_key: seed"))
    "seed: Value 'many' is no integer"
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    key = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), "")
    return f"{key}: {lines[0]}" if key and key not in lines[0] else lines[0]


def explain(overrides: Sequence[str], error: Exception) -> str:
    """Returns one line on what is wrong with overrides that Hydra refused, with the nearest right key or option."""
    groups = [folder.name for folder in sorted(paths.conf().iterdir()) if folder.is_dir() and folder.name != "table"]
    known = [*groups, *keys()]
    for override in overrides:
        try:
            key = str(OverridesParser.create().parse_override(override).key_or_group)
        except HydraException:
            return f"{override!r} is not of the form KEY=VALUE"
        if key in groups:
            for value in override.partition("=")[2].split(","):  # several in a sweep
                if value.strip() not in paths.options(key):
                    return f"{key}={value}: " + nearest(value, paths.options(key))
        elif key not in known and not key.startswith("hydra") and override[0] not in "+~":
            return f"{key}: no such key; " + nearest(key, known)
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = first_line(cause) if isinstance(cause, Exception) and str(cause) else first_line(error)
    match = re.match(r"(\w+)\.\w+: Key '\w+' (?:is )?not in", text)
    if match and match[1] in groups:
        key = text.partition(":")[0]
        others = " or ".join(f"{match[1]}={option}" for option in having(key))
        return f"{key}: the {match[1]} option in use has no such key; choose {others}"
    return text
