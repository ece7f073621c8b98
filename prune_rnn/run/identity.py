"""A run's identity: everything that can change its result, as plain values, and their digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from enum import Enum
from typing import Any

from prune_rnn.config.config import Config
from prune_rnn.config.option import is_identity
from prune_rnn.source.content import content
from prune_rnn.typed import Plain

_DIGEST_LENGTH = 10


def plain(value: Any) -> Any:
    """Returns dataclasses as dicts of their identity fields (`is_identity`); enums as their `identity` or name."""
    if dataclasses.is_dataclass(value):
        named = [f.name for f in dataclasses.fields(value) if is_identity(f, getattr(value, f.name))]
        return {name: plain(getattr(value, name)) for name in named}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return getattr(value, "identity", value.name) if isinstance(value, Enum) else value


def identity(config: Config) -> Plain:
    """Returns everything that can change the result, as plain values; files by their content, not their paths."""
    result: Plain = plain(config)
    result["data"] |= config.data.content()
    if config.init is not None:
        result["init"] = content("init", config.init)
    if config.teacher is not None:
        weights = content("teacher", config.teacher)
        result["teacher"] = {"weights": weights, "distil": config.distil, "temperature": config.temperature}
    return result


def family(values: Plain) -> Plain:
    """Returns an identity without width, pruning and seed. A start or teacher that it lacks is None."""
    model = {key: value for key, value in values["model"].items() if key != "units"}
    return {"model": model} | {key: values.get(key) for key in ("train", "data", "init", "teacher")}


def digest(config: Config) -> str:
    """Returns the digest of the run's identity: the same on every machine."""
    return digest_of(identity(config))


def digest_of(values: Plain) -> str:
    """Returns the digest of an identity."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:_DIGEST_LENGTH]


def whatever_seed(identity: Plain) -> Plain:
    """Returns an identity without what differs between seeds of one setting: seed, weights of `init` and `teacher`."""
    own = {key: value for key, value in identity.items() if key != "seed"}
    if "init" in own:
        own["init"] = True
    if "teacher" in own:
        own["teacher"] = {key: value for key, value in own["teacher"].items() if key != "weights"}
    return own
