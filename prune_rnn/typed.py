"""From a file's plain values to dataclasses; one error names a key that does not fit."""

from __future__ import annotations

import dataclasses
import sys
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
Plain = dict[str, Any]  # what JSON, YAML and a checkpoint hold
_GREATEST = sys.float_info.max
_WORDS: dict[Any, str] = {  # of a type
    int: "a whole number", float: "a number", str: "a text", bool: "true or false", list: "a list, as in [a, b]",
    tuple: "a list, as in [a, b]", dict: "a group of keys",
}  # fmt: skip


def typed(kind: type[Kind], value: Any, name: str = "") -> Kind:
    """Returns a value of JSON or YAML as a `kind`; ValueError names the key that does not fit.

    kind: a dataclass whose fields are plain types, enums (by their member's name), dataclasses, and lists, tuples,
    dicts and optionals of those, or a list or another type. A field with a default may be missing; any other key is an
    error.

    >>> @dataclasses.dataclass
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> typed(Point, {"x": 1})
    Point(x=1.0, y=0.0)
    """
    found: Kind = _typed(kind, value, name)
    return found


def _typed(kind: Any, value: Any, name: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        if value is None and NoneType in parts:
            return None
        others = [part for part in parts if part is not NoneType]
        fits = [part for part in others if (get_origin(part) is list) == isinstance(value, list)]
        return _typed((fits or others)[0], value, name)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, value, name)
    choices: Any = kind.__members__ if isinstance(kind, type) and issubclass(kind, Enum) else {}
    if isinstance(value, str) and value in choices:
        return choices[value]
    if origin is dict and isinstance(value, dict):
        return {_typed(parts[0], k, name): _typed(parts[1], each, f"{name}.{k}") for k, each in value.items()}
    if origin in (list, tuple) and isinstance(value, list):
        return origin(_typed(parts[0], each, f"{name}[{index}]") for index, each in enumerate(value))
    if kind is float and (isinstance(value, float) or (type(value) is int and abs(value) <= _GREATEST)):
        return float(value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    wanted = _WORDS.get(origin or kind) or getattr(kind, "__name__", kind)
    wanted = f"one of {', '.join(choices)}" if choices else wanted
    raise ValueError(f"{name.removeprefix('.') or 'it'} is {value!r}, not {wanted}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _dataclass(kind: type, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{name.removeprefix('.') or 'it'} is {value!r}, not a group of keys")
    fields: dict[str, Any] = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := value.keys() - fields.keys():
        raise ValueError(f"{f'{name}.{min(unknown, key=str)}'.removeprefix('.')} is not a known key")
    nothing = dataclasses.MISSING
    required = {n for n, field in fields.items() if field.default is nothing and field.default_factory is nothing}
    if missing := required - value.keys():
        raise ValueError(f"{f'{name}.{min(missing)}'.removeprefix('.')} is missing")
    return kind(**{key: _typed(_hints(kind)[key], each, f"{name}.{key}") for key, each in value.items()})
