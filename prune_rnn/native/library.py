"""The C++ library: where it is, its functions, and the instruction sets that this machine runs of it."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ctypes import c_char_p, c_int, c_int64, c_void_p
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

from prune_rnn import native

_FILE = "lib/libprune_rnn.so"
_LAYER = [c_int] * 4  # cell, activation, steps, streams
# cell, units, steps; frames, sizes; tanh, reverse, threads, set
_LOOP = [c_int] * 3 + [c_int64, c_void_p] + [c_int] * 4
# what each C function returns and takes, as its definition in the .cpp files says
SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "prune_rnn_compiled": (c_int, [c_int]),
    "prune_rnn_runs": (c_int, [c_int]),
    "prune_rnn_sources": (c_char_p, []),
    "prune_rnn_has": (c_int, [c_int] * 3),
    "prune_rnn_pack": (c_void_p, [c_int] * 3 + [c_void_p] * 2 + [c_int] * 5),
    "prune_rnn_free": (None, [c_void_p]),
    "prune_rnn_describe": (None, [c_void_p] * 2),
    "prune_rnn_product": (c_int, [c_void_p, c_int, c_void_p, c_void_p]),
    "prune_rnn_layer": (c_int, [c_void_p, *_LAYER, c_int] + [c_void_p] * 3),
    "prune_rnn_both_ways": (c_int, [c_void_p, c_void_p, *_LAYER] + [c_void_p] * 5),
    "prune_rnn_loop_forward": (c_int, _LOOP + [c_void_p] * 5),
    "prune_rnn_loop_backward": (c_int, _LOOP + [c_void_p] * 8),
    "prune_rnn_row_convolution": (None, [c_int] * 6 + [c_void_p] * 5),
    "prune_rnn_in_pairs": (c_int, [c_int]),
    "prune_rnn_convolution": (c_int, [c_void_p] + [c_int] * 4 + [c_void_p] * 5),
    "prune_rnn_convolution_weights": (c_int, [c_void_p] + [c_int] * 2 + [c_void_p] * 3),
}


class InstructionSet(IntEnum):
    """What the C++ is compiled for; a part without code of its own for a set runs the next lower one's."""

    plain = 0
    avx2 = 1  # with FMA
    avx512 = 2  # F, BW, DQ, VL
    avx512_vnni = 3  # VBMI, VNNI and BF16 too: Zen 4, Sapphire Rapids and later
    neon = 4
    neon_dot = 5  # with dot products of bytes


def sources(folder: Path) -> str | None:
    """Returns the SHA-256 of all C++ sources under `folder`, as CMakeLists.txt takes it; None where there are none."""
    kinds = (".cpp", ".h", ".inc")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*") if path.suffix in kinds)
    digests = "".join(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names)
    return hashlib.sha256(digests.encode()).hexdigest() if names else None


@cache
def built() -> ctypes.CDLL | None:
    """Returns the library, or None where it wasn't built.

    torch must be loaded before, so that its threads serve both. ValueError where it was built from other sources than
    those beside it (of a checkout; a wheel holds none): such a library could read its arguments as other ones.
    """
    places = [Path(place, _FILE) for place in native.__path__]  # several, where the package is being worked on
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        return None
    library = ctypes.CDLL(os.fspath(found))
    present = next(filter(None, map(sources, map(Path, native.__path__))), None)
    try:
        for name, (returns, takes) in SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = returns, takes
        stale = present is not None and library.prune_rnn_sources().decode() != present
    except AttributeError:  # it lacks a function
        stale = True
    if stale:
        raise ValueError(f"{found}: built from other sources than those beside it; build it again: pip install -e .")
    return library


@cache
def instruction_sets() -> list[InstructionSet]:
    """Returns what this machine runs, best first; empty where the library wasn't built.

    PRUNE_RNN_SET, a name of the list, takes the better ones away. ValueError for any other value.
    """
    library = built()
    if library is None:
        return []
    found = [each for each in reversed(InstructionSet) if library.prune_rnn_runs(each)]
    best = os.environ.get("PRUNE_RNN_SET")
    if best is None:
        return found
    names = [each.name for each in found]
    if best not in names:
        raise ValueError(f"PRUNE_RNN_SET={best}: this machine runs {', '.join(names)}; unset it or choose one of them")
    return found[names.index(best) :]


_chosen: ContextVar[InstructionSet | None] = ContextVar("chosen")


def chosen() -> InstructionSet | None:
    """Returns what it is to run on: this machine's best, or as `using` says; None: torch's operations."""
    best = instruction_sets()
    return _chosen.get(best[0] if best else None)


@contextmanager
def using(instruction_set: InstructionSet | None) -> Iterator[None]:
    """Within it, the library runs on `instruction_set`, or where that is None torch's operations serve.

    A backward loop goes as its forward loop went, wherever it is called. ValueError where this machine can't.
    """
    if instruction_set is not None and instruction_set not in instruction_sets():
        raise ValueError(f"the library can't run on {instruction_set.name} here")
    token = _chosen.set(instruction_set)
    try:
        yield
    finally:
        _chosen.reset(token)


def describe() -> str:
    """Returns one line that says whether the library is compiled, for what, and what serves where it isn't.

    Loads no torch, but where the system lacks the OpenMP that torch brings.
    """
    try:
        library = built()
    except OSError:
        importlib.import_module("torch")
        library = built()
    if library is None:
        return "engine: not compiled (no C++17 compiler at installation?); torch CSR serves sparse products, slower"
    compiled = [each.name for each in InstructionSet if library.prune_rnn_compiled(each)]
    return f"engine: compiled for {', '.join(compiled)}; {instruction_sets()[0].name} serves on this machine"
