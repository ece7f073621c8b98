"""The configuration of a run as text for users."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from typing import Any

from omegaconf import OmegaConf

from prune_rnn.config.config import Config, compose_config
from prune_rnn.data.sets import SETS
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.prune.q import BASELINE, GIVEN
from prune_rnn.run.identity import plain
from prune_rnn.run.record import Recorded
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.typed import Plain
from prune_rnn.usage import shown

_DIGITS = 6  # of a run's sparsity


def as_yaml(config: Config) -> str:
    """Returns all keys of a run as YAML, resolved, after a comment that names the run's folder."""
    config, _ = resolve(config)
    return f"# {run_of(config).folder}\n{OmegaConf.to_yaml(OmegaConf.structured(config))}"


def set_otherwise(kept: Recorded) -> list[str]:
    """Returns a run's differences from the defaults of its model and scale, as overrides.

    Seed, sparsity and consequences of another override are left out. Where the model or the scale no longer exists,
    only `init` and `teacher` are returned.
    """
    chosen = [f"model={kept.model.name}", f"scale={kept.scale.name}"]
    given = [f"{key}={value}" for key in ("init", "teacher") for value in _sources(kept.identity.get(key))]
    try:
        default = _composed(*chosen)
        given += _apart("scale", plain(kept.scale), default.scale)
        if kept.train.epochs != _composed(*chosen, *given).train.epochs:
            given.append(f"train.epochs={kept.train.epochs}")
        goal = []
        if kept.prune.method != default.prune.method:
            given.append(f"prune={kept.prune.method}")
            goal = _goal(kept)  # not every model has a default goal
        same_data = kept.data["name"] == default.data.name
        default = _composed(*chosen, *given, *goal)
        other_data = [] if same_data else _other_data(kept.data)
        for group in ("model", "prune", "train", *(["data"] if same_data else [])):
            own = _left_open(kept, group)
            while apart := [each for each in _apart(group, own, getattr(default, group)) if each not in given]:
                given.append(apart[0])
                default = _composed(*chosen, *given, *goal)  # which may change others
        given += other_data  # last: a data set with files does not compose without them
    except ValueError:  # today's options lack the model or the scale
        pass
    return [f"{key}={shown(value)}" for key, _, value in (word.partition("=") for word in given)]


def sparsity(kept: Recorded) -> list[str]:
    """Returns a run's sparsity as an override; nothing where its goal is a magnitude, or it does not prune.

    Nothing where it is the model's own, either. A run records the sparsity of its prunable weights, whichever of two
    keys was typed. The override is the key with the shorter value.
    """
    goal = kept.identity["prune"].get("prunable_sparsity")
    if goal is None:
        return []
    model = meta_model(kept.model)
    prunable = sum(p.numel() for group in kept.prune.weights(model).values() for p in group.values())
    share = prunable / sum(p.numel() for p in model.parameters())
    rounded = (round(goal * share, digits) for digits in range(1, 7))
    whole = next((each for each in rounded if round(each / share, _DIGITS) == goal), goal)
    if whole == _usual_sparsity(kept):
        return []
    return [f"prune.sparsity={whole}"] if len(f"{whole}") < len(f"{goal}") else _goal(kept)


def _usual_sparsity(kept: Recorded) -> float | None:
    """Returns the sparsity that the run's model has by default; None where it has none, or no longer exists."""
    try:
        return getattr(_composed(f"model={kept.model.name}").prune, "sparsity", None)
    except ValueError:
        return None


def _goal(kept: Recorded) -> list[str]:
    goal = kept.identity["prune"].get("prunable_sparsity")
    return [] if goal is None else [f"prune.prunable_sparsity={goal}"]


@cache
def _composed(*words: str) -> Config:
    return compose_config(words)


def _left_open(kept: Recorded, group: str) -> Plain:
    """Returns a group's part of the identity, with q as typed, without the goal of pruning and the alphabet's size."""
    values: Plain = {
        key: value for key, value in kept.identity[group].items() if "sparsity" not in key and key != "symbols"
    }
    if isinstance(values.get("q"), dict) and kept.q_source != GIVEN:
        values["q"] = BASELINE
    return values


def _apart(group: str, own: Plain, default: Any) -> list[str]:
    """Returns the differences of a group's part of an identity from options, as overrides with the identity's values.

    An identity lacks a newer key with the value of older runs.
    """
    usual, older = plain(default), _older(default)
    values = {**{key: older[key] for key in usual if key in older}, **own}
    both = [key for key in values if key in usual or key in older]
    return [f"{group}.{key}={_text(values[key])}" for key in both if values[key] != usual.get(key, older.get(key))]


def _other_data(data: Plain) -> list[str]:
    """Returns the choice of a data set, and its keys in which a run differs from their defaults."""
    found = [f"data={data['name']}"]
    for field in fields(SETS[data["name"]]) if data["name"] in SETS else ():
        before = field.metadata["before"]
        value = data.get(field.name, plain(field.default if before is MISSING else before))
        if field.default is not MISSING and value != plain(field.default):
            found.append(f"data.{field.name}={_text(value)}")
    return found


def _older(options: Any) -> Plain:
    """Returns the newer keys of options, with the values of older runs."""
    before = {field.name: field.metadata.get("before", MISSING) for field in fields(options)}
    named = {key: value.name if isinstance(value, Enum) else value for key, value in before.items()}
    return {key: value for key, value in named.items() if value is not MISSING}


def _sources(named: str | Plain | None) -> list[str]:
    """Returns the digest of the weights of a start or teacher, and a teacher's settings; runs record no path."""
    if isinstance(named, dict):
        return [" ".join([named["weights"], *(f"{key}={value}" for key, value in named.items() if key != "weights")])]
    return [] if named is None else [named]


def _text(value: Any) -> str:
    """Returns a value as an override has it."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_text(its)}" for key, its in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)
