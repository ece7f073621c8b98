"""The composition of overrides, KEY=VALUE, by Hydra. A wrong override is named in one line.

Hydra composes each choice of options once; the values are then set in a copy, one by one. That is ten times faster,
and tells which override fails.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import hydra
import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from prune_rnn import paths
from prune_rnn.config.nearest import choose, nearest
from prune_rnn.config.option import having, keys, text_keys
from prune_rnn.printed import quoted
from prune_rnn.usage import UsageError, shown

# what Hydra and OmegaConf raise for a wrong override; ArithmeticError: an integer that is no float
REFUSALS = (HydraException, OmegaConfBaseException, ValueError, ArithmeticError, RecursionError)
_LONGEST = 300  # characters of a reason
_RESOLVING = "raised while resolving interpolation: "  # OmegaConf, before the message of a resolver of ours
_PLAINER = {  # OmegaConf's words: ours
    r"Value '(.*)' of type '.*' could not be converted to Integer": r"'\1' is no whole number",
    r"Value '(.*)' of type '.*' could not be converted to Float": r"'\1' is no number",
    r"Value '(.*)' is not a valid bool \(type .*\)": r"'\1' is neither true nor false",
    r"Invalid value assigned: .* is not a ListConfig, list or tuple\.": "must be a list: put it in [ ]",
}


def compose(overrides: Sequence[str]) -> DictConfig:
    """Returns the configuration that the overrides give, with its interpolations; UsageError names the wrong one."""
    chosen: dict[str, str] = {}
    values: list[Override] = []
    for word in overrides:
        sign, key, value = split(word)
        if sign == "~":
            raise UsageError(f"{shown(word)}: a key can't be taken away; leave it out, and it has its default")
        if re.match(r"hydra\b", key):
            raise UsageError(f"{shown(word)}: works with `prune-rnn train -m` only; leave it out, or add -m")
        override = read(word)
        if override.is_sweep_override():
            raise UsageError(f"{shown(word)}: several values need `prune-rnn train -m`; give one, or add -m")
        if key not in paths.groups():
            values.append(override)
        elif value in paths.options(key):
            chosen[key] = value
        else:
            raise UsageError(f"{key}={shown(value)}: {choose(value, paths.options(key))}")
    composed = copy.deepcopy(_composed(paths.conf(), tuple(sorted(chosen.items()))))
    for override in values:
        with named(str(override.input_line)):
            if override.value() == {}:
                raise ValueError("an empty group changes nothing; name what is in it")
            ConfigLoaderImpl._apply_overrides_to_config([override], composed)
    return composed


@cache
def _composed(conf: Path, chosen: Sequence[tuple[str, str]]) -> DictConfig:
    try:
        GlobalHydra.instance().clear()
        with hydra.initialize_config_dir(str(conf), version_base="1.3", job_name="prune_rnn"):
            return hydra.compose("config", [f"{group}={option}" for group, option in chosen])
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{_unreadable(conf)} can't be read as YAML ({reason(error)}); fix it, or reinstall") from None


def _unreadable(conf: Path) -> Path:
    """Returns the first file of the folder that is no YAML in UTF-8, else the folder."""
    for file in sorted(conf.rglob("*.yaml")):
        try:
            yaml.safe_load(file.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, yaml.YAMLError):
            return file
    return conf


def split(override: str) -> tuple[str, str, str]:
    """Returns (sign, key, value); the sign is +, ++, ~ or "".

    >>> split("++model.units=7")
    ('++', 'model.units', '7')
    """
    typed, _, value = override.partition("=")
    key = typed.lstrip("+~")
    return typed[: len(typed) - len(key)], key, value


def read(word: str, *, sweep: bool = False) -> Override:
    """Returns the override as Hydra reads it; text is put in quotes where Hydra would read it otherwise.

    A path may have a comma, except in a sweep, where it separates values. A name may look like a number.
    """
    _, key, value = split(word)
    if "=" not in word or not key:
        group = next((group for group in paths.groups() if word in paths.options(group)), None)
        raise UsageError(f"{shown(word)!r} is not of the form KEY=VALUE" + (f"; write {group}={word}" if group else ""))
    parse, texts = OverridesParser.create().parse_override, text_keys()
    with named(word):
        try:
            override = parse(word)
            if key not in texts:
                return override
            several = override.is_sweep_override()
            if (sweep or not texts[key]) if several else isinstance(override.value(), str | None):
                return override
        except REFUSALS:
            if key not in texts:
                raise
        return parse(f"{word.partition('=')[0]}={quoted(value)}")


@contextmanager
def named(word: str) -> Iterator[None]:
    """Turns an error of Hydra's in the block into a UsageError that names the override, with a hint for a wrong key."""
    try:
        yield
    except UsageError:
        raise
    except REFUSALS as error:
        unknown = isinstance(error.__cause__, ConfigAttributeError | ConfigKeyError)
        raise UsageError(f"{shown(word)}: {_unknown(split(word)[1]) if unknown else reason(error)}") from None


def of_resolver(error: BaseException) -> bool:
    """Whether the error is that of a resolver of ours, which names its own key."""
    return _RESOLVING in str(error)


def reason(error: BaseException) -> str:
    """Returns the message of an error's root cause in one line."""
    while str(error.__cause__) not in ("", "None"):
        assert error.__cause__ is not None
        error = error.__cause__
    text = " ".join(str(error).partition("full_key:")[0].split())  # where OmegaConf begins to say where
    text = text.partition(_RESOLVING)[2] or text
    for theirs, ours in _PLAINER.items():
        text = re.sub(f"^{theirs}$", ours, text)
    return text[:_LONGEST] or type(error).__name__


def _unknown(key: str) -> str:
    """Returns the message for a key that is not there, with the options that have it, else the nearest key."""
    group = key.partition(".")[0]
    if options := [f"{group}={option}" for option in having(key)]:
        sparse = " (with a sparse model, such as model=gru_sparse)" if group == "prune" else ""
        return f"not a key of the chosen {group}; choose {' or '.join(options)}{sparse}"
    parent, _, last = key.rpartition(".")
    if "." in parent and parent in keys():
        return f"no such key; what is new there needs a plus: +{key}=..."
    like = [each for each in keys() if each.rpartition(".")[2] == last]
    meant = nearest(key, keys()) or (f"did you mean {like[0]!r}?" if len(like) == 1 else "")
    return f"no such key; {meant if key not in keys() and meant else '`prune-rnn train --help` lists all keys'}"
