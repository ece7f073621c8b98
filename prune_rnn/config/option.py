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
    """Returns a dataclass field. help: one line for the command line's help and conf/README.md.

    Without default and factory it is a required key.
    identity=False: it can't change the result, so it is no part of a run's digest.
    later: the key is newer than some runs. Its default is left out of the digest, so that their names stay.
    before: the value that older runs had, where it is not the default; it is left out of the digest likewise.
    path: it names files or folders; `~` is the user's own.
    """
    metadata = {"help": help, "identity": identity, "path": path, "before": default if later else before}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def is_identity(field: dataclasses.Field[Any], value: Any) -> bool:
    """Tells whether the field, of this value, is part of what names a run."""
    before = field.metadata.get("before", dataclasses.MISSING)
    as_before = before is not dataclasses.MISSING and value == before
    return bool(field.metadata.get("identity", True)) and not as_before


def expand_home(options: Any) -> None:
    """Puts the user's folder in place of a leading `~` in the paths among the options."""
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.metadata.get("path") and value is not None:
            several = [os.path.expanduser(each) for each in value] if isinstance(value, list) else None
            setattr(options, field.name, os.path.expanduser(value) if several is None else several)


@cache
def registered() -> dict[str, dict[str, type]]:
    """Returns the classes that are registered under `schema`: group ("" for the root) -> option -> class.

    A group with one class for all of its options has it under "".
    """
    from hydra.core.config_store import ConfigStore  # not where speech is made: each process would import it
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


def keys() -> list[str]:
    """Returns every key that can stand in an override, in dots, over all options of all groups."""
    return sorted(
        {
            f"{group}.{field.name}" if group else field.name
            for group, options in registered().items()
            for schema in options.values()
            for field in dataclasses.fields(schema)
        }
    )


@cache
def text_keys() -> dict[str, bool]:
    """Returns every key whose value is text, in dots, and whether that is a path."""
    found = {}
    for group, options in registered().items():
        for schema in options.values():
            hints = get_type_hints(schema)
            for field in dataclasses.fields(schema):
                if hints[field.name] in (str, str | None):
                    found[f"{group}.{field.name}" if group else field.name] = bool(field.metadata.get("path"))
    return found


def having(key: str) -> list[str]:
    """Returns the options of the key's group that have such a key, `group.name`."""
    group, _, name = key.partition(".")
    options = registered().get(group, {}) if name else {}
    return [option for option, schema in options.items() if name in [f.name for f in dataclasses.fields(schema)]]
