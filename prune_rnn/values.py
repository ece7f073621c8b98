"""Plain values from JSON and YAML text; any bad text raises ValueError and nothing else.

YAML anchors and aliases, which expand, are errors. The files of this program have none.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

_DEEPEST = 32  # values in values: none of our files has more than 8


class _Loader(yaml.SafeLoader):
    """Refuses anchors, aliases and deep nesting before any value is made."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor is not None:
            raise ValueError("it has a YAML anchor or alias; write the values out")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def from_yaml(text: str) -> Any:
    """Returns the values of a YAML document; ValueError where it is none, has an alias, or is nested too deeply.

    >>> from_yaml("a: [1, two]")
    {'a': [1, 'two']}
    >>> from_yaml("[&x 1, *x]")
    Traceback (most recent call last):
    ValueError: it has a YAML anchor or alias; write the values out
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError("; ".join(str(error).splitlines())) from None
    except (TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:  # of a tag with a wrong value
        raise ValueError(f"it has a value that can't be read ({type(error).__name__})") from None


def from_json(text: str) -> Any:
    """Returns the values of JSON text; ValueError where it is none, or is nested too deeply.

    >>> from_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: it is nested too deeply
    """
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [values]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inner(each)]
        if not level:
            return values
    raise ValueError("it is nested too deeply")


def _inner(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
