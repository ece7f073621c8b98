"""Finding the C++ libraries, and what the machine can run of them."""

from __future__ import annotations

import ctypes
import importlib
import os
from collections.abc import Iterable
from enum import IntEnum
from functools import cache
from pathlib import Path

import prune_rnn


class InstructionSet(IntEnum):
    """What C++ is compiled for; a library may ask for more than the name says, see its `best_set`."""

    plain = 0
    avx2 = 1
    avx512 = 2


def load(places: Iterable[str], name: str) -> ctypes.CDLL | None:
    """Returns the library of that name in the first of the places that has it, or None where it wasn't built.

    places: a package's `__path__`; several, where the package is being worked on. torch must be loaded before, so that
    its threads serve both.
    """
    found = next((path for path in (Path(place, name) for place in places) if path.is_file()), None)
    return None if found is None else ctypes.CDLL(os.fspath(found))


def describe() -> str:
    """Returns one line that says whether the engine is compiled, for what, and what serves where it isn't.

    Loads no torch, but where the system lacks the OpenMP that torch brings.
    """
    file = "engine/cpp/libprune_rnn_engine.so"
    try:
        found = load(prune_rnn.__path__, file)
    except OSError:
        importlib.import_module("torch")
        found = load(prune_rnn.__path__, file)
    if found is None:
        return "engine: not compiled (no C++17 compiler at installation?); torch CSR serves sparse products, slower"
    compiled = [each.name for each in InstructionSet if found.prune_rnn_compiled() >> each & 1]
    return f"engine: compiled for {', '.join(compiled)}; {instruction_sets(found)[0].name} serves on this machine"


@cache
def instruction_sets(library: ctypes.CDLL | None) -> list[InstructionSet]:
    """Returns what this machine can run of it, best first; empty without a library."""
    if library is None:
        return []
    return [each for each in reversed(InstructionSet) if each <= library.prune_rnn_instruction_set()]
