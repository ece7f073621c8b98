"""A field of an options class: its default, its help, and whether it can change a run's result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


def option(
    help: str, default: Any = dataclasses.MISSING, *, factory: Callable[[], Any] | None = None, identity: bool = True
) -> Any:
    """Returns a dataclass field. help: one line for the command line's help and conf/README.md.

    Without default and factory it is a required key. identity=False: it can't change the result, and so does not name
    the run.
    """
    metadata = {"help": help, "identity": identity}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def is_identity(field: dataclasses.Field[Any]) -> bool:
    """Tells whether the field can change a run's result."""
    return bool(field.metadata.get("identity", True))
