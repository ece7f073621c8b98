"""A field of an options class: its default, its help, and whether it can change a run's result."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from functools import cache
from typing import Any, get_type_hints


def option(
    help: str,
    default: Any = dataclasses.MISSING,
    *,
    factory: Callable[[], Any] | None = None,
    identity: bool = True,
    later: bool = False,
    path: bool = False,
    before: Any = dataclasses.MISSING,
) -> Any:
    """Returns a dataclass field; without default and factory the key is required.

    Args:
        help: one line for the command line's help and conf/README.md.
        identity: False where the key can't change the result, so is no part of a run's digest.
        later: the key is newer than some runs. Its default is left out of the digest, so that their names stay.
        before: the value of older runs, where it is not the default; it is left out of the digest likewise.
        path: the key names files or folders; `~` is the user's own.
    """
    metadata = {"help": help, "identity": identity, "path": path, "before": default if later else before}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def is_identity(field: dataclasses.Field[Any], value: Any) -> bool:
    """Returns whether the field, with this value, is part of a run's digest."""
    before = field.metadata.get("before", dataclasses.MISSING)
    as_before = before is not dataclasses.MISSING and value == before
    return bool(field.metadata.get("identity", True)) and not as_before


def expand_home(options: Any) -> None:
    """Replaces a leading `~` by the user's folder in all paths among the options."""
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.metadata.get("path") and value is not None:
            expanded = [*map(os.path.expanduser, value)] if isinstance(value, list) else os.path.expanduser(value)
            setattr(options, field.name, expanded)


@cache
def registered() -> dict[str, dict[str, type]]:
    """Returns the classes registered under `schema`: group ("" for the root) -> option -> class.

    A group with one class for all of its options has that class under "".
    """
    from hydra.core.config_store import ConfigStore  # here: the processes that make speech don't need it
    from omegaconf import OmegaConf

    store = ConfigStore.instance()

    def load(name: str) -> type:
        found: Any = OmegaConf.get_type(store.load(f"schema/{name}").node)
        assert isinstance(found, type)
        return found

    root = load("config.yaml")
    classes: dict[str, dict[str, type]] = {"": {"": root}}
    for group, hint in get_type_hints(root).items():
        if isinstance(store.repo["schema"].get(group), dict):
            files = store.list(f"schema/{group}")
            classes[group] = {file.removesuffix(".yaml"): load(f"{group}/{file}") for file in files}
        elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
            classes[group] = {"": hint}
    return classes


@cache
def _fields() -> dict[str, tuple[dataclasses.Field[Any], Any]]:
    """Returns (field, type) of every key, in dots, over all options of all groups."""
    return {
        f"{group}.{field.name}" if group else field.name: (field, get_type_hints(schema)[field.name])
        for group, options in registered().items()
        for schema in options.values()
        for field in dataclasses.fields(schema)
    }


def keys() -> list[str]:
    """Returns every key of an override, in dots, over all options of all groups, sorted."""
    return sorted(_fields())


@cache
def text_keys() -> dict[str, bool]:
    """Returns every key whose value is text, in dots, and whether the text is a path."""
    return {
        key: bool(field.metadata.get("path")) for key, (field, kind) in _fields().items() if kind in (str, str | None)
    }


def having(key: str) -> list[str]:
    """Returns the options that have the key, `group.name`."""
    group, _, name = key.partition(".")
    options = registered().get(group, {}) if name else {}
    return [option for option, schema in options.items() if name in [f.name for f in dataclasses.fields(schema)]]
