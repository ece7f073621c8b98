"""Chooses the fastest backend for a sparse matrix: the engine, or torch's sparse or dense product."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import torch

from prune_rnn import __version__
from prune_rnn.engine import compiled, kept
from prune_rnn.engine.base import Backend
from prune_rnn.engine.compiled import Format
from prune_rnn.engine.quantise import Weight
from prune_rnn.engine.timing import in_turn
from prune_rnn.engine.torch import CsrMatrix, DenseMatrix
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation

_ROUNDS = 9  # of the timing that chooses
_SECONDS = 0.002  # that a round of it takes, about
_DISTURBED = 1.5  # median over least of the rounds, from which on other work decides
_SLICE = 16  # rows that the engine's formats take together

Makers = dict[str, Callable[[], Backend]]


def describe_backend() -> str:
    """Returns one line that says what computes on this machine."""
    if sets := compiled.instruction_sets():
        return f"sparse products: the engine, for {sets[0].name}"
    return "sparse products: torch CSR, since the engine wasn't built (no C++ compiler at installation?); it is slower"


def fastest(weight: Weight, *, gates: int = 1, streams: int = 1, cell: Cell | None = None) -> Backend:
    """Returns the fastest backend for the matrix on this machine: a format of the engine, or torch's product.

    The first call times all of them, torch's dense product and the engine's dense format included. The least of some
    rounds counts, as other work on the machine only ever adds to a time. The choice is stored for this machine
    (`kept`), unless other work disturbed the timing; then the next load times them again.
    streams: so many vectors at a time. cell: times the recurrent layer, else the product alone.
    """
    makers: Makers = {"torch dense": partial(DenseMatrix, weight, gates=gates)}
    if compiled.instruction_sets():
        makers |= _of_engine(weight, gates, streams)
    else:
        makers["torch csr"] = partial(CsrMatrix, weight, gates=gates)
    choice, made = _choice(makers, _key(weight, gates, streams, cell), weight, streams, cell)
    return makers[choice]() if made is None else made


def fastest_format(weight: Weight, *, gates: int = 1, streams: int = 1, cell: Cell | None = None) -> Format:
    """Returns the engine's fastest format for the matrix, timed and stored as by `fastest`; it has to be built."""
    key = f"{_key(weight, gates, streams, cell)}; the engine alone"
    return Format[_choice(_of_engine(weight, gates, streams), key, weight, streams, cell)[0]]


def _of_engine(weight: Weight, gates: int, streams: int) -> Makers:
    """Returns the engine's backends on this machine, by the format's name."""
    formats = compiled.formats(weight.dtype, compiled.instruction_sets()[0])
    return {form.name: partial(compiled.Matrix, weight, form, gates=gates, streams=streams) for form in formats}


def _choice(makers: Makers, key: str, weight: Weight, streams: int, cell: Cell | None) -> tuple[str, Backend | None]:
    """Returns the name of the fastest backend and, where the timing made it, the backend itself."""
    if (choice := kept.choices().get(key, "")) in makers:
        return choice, None
    made = {name: make() for name, make in makers.items()}
    rows, columns = weight.values.shape
    with torch.no_grad():
        if cell is None:
            x = torch.ones(streams, columns)
            work: list[Callable[[], object]] = [partial(m.product, x) for m in made.values()]
        else:
            inputs = torch.zeros(8, streams, rows)
            work = [partial(m.layer, cell, Activation.clipped_relu, inputs) for m in made.values()]
        seconds = in_turn(work, _ROUNDS, _SECONDS)
    least, choice, rounds = min((min(each), name, each) for each, name in zip(seconds, made, strict=True))
    if statistics.median(rounds) <= _DISTURBED * least:
        kept.keep(key, choice)
    return choice, made[choice]


def _key(weight: Weight, gates: int, streams: int, cell: Cell | None) -> str:
    """Returns all that the choice depends on, in words: the key in the file."""
    rows, columns = weight.values.shape
    keep = weight.values != 0
    slices = torch.nn.functional.pad(keep, (0, 0, 0, -rows % _SLICE)).view(-1, _SLICE, columns)
    sets = compiled.instruction_sets()
    parts = [
        f"{kept.cpu()}, {sets[0].name if sets else 'not built'}, {torch.get_num_threads()} threads",
        f"prune-rnn {__version__}, torch {torch.__version__}",
        f"{rows} x {columns}, {int(keep.sum())} weights in {int(slices.any(1).sum())} columns of slices",
        f"{weight.dtype.value}, {gates} gates, {streams} streams, {'product' if cell is None else cell.name}",
    ]
    return "; ".join(parts)
