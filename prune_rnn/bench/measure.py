"""What Table 5 is made of: the recurrent product, the recurrent layer and whole networks, sparse against dense.

A group is one shape and one number of streams; all that can compute it is timed in turn within the group.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from prune_rnn.bench import baselines
from prune_rnn.bench.baselines import Baseline
from prune_rnn.bench.opponents import cuda as opponents
from prune_rnn.deploy.file import Packed
from prune_rnn.deploy.network import Network, pack
from prune_rnn.engine import cuda, native
from prune_rnn.engine.base import Multiplier
from prune_rnn.engine.choose import fastest
from prune_rnn.engine.native import Format, Matrix
from prune_rnn.engine.quantise import Dtype, Weight, quantise
from prune_rnn.engine.timing import in_turn
from prune_rnn.engine.torch import DenseMatrix
from prune_rnn.features import BINS
from prune_rnn.library import InstructionSet
from prune_rnn.model.cell import Cell
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.model.recurrence import Activation

PRODUCT, LAYER, NETWORK = "product", "layer", "network"
BLOCK = 16  # rows of a block
SETTLE = 0.02  # seconds before each measurement
BREAK_EVEN = (0.3, 0.5, 0.7)  # sparsity of more unstructured masks, to find where sparse begins to win
FORCED = "unstructured, sparse by force"  # what they are called: the engine would choose a dense format by itself
FRAMES = 99  # of a second of audio


@dataclass(frozen=True, slots=True)
class Shape:
    """A recurrent matrix of (gates * units, units). weight: its own, with its own mask; None: random ones."""

    name: str
    label: str
    cell: Cell
    units: int
    baseline: str
    weight: Tensor | None = None
    paper: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How it is measured."""

    streams: Sequence[int]
    sparsity: Sequence[float]
    threads: int
    rounds: int
    seconds: float
    device: str  # cpu or cuda


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to compute a group's result; sparsity None: dense."""

    name: str
    dtype: str
    sparsity: float | None = None
    structure: str = "dense"
    format: str = ""
    exact: bool = True
    packing_seconds: float | None = None
    bytes: int | None = None


Way = tuple[Candidate, Callable[[], Any]]  # and what computes it


@dataclass(frozen=True, slots=True)
class Measurement:
    """One candidate's times in microseconds: of a product, of a step of the layer, of a second of audio."""

    block: str
    shape: str
    streams: int
    candidate: Candidate
    microseconds: list[float]

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.microseconds)

    @property
    def best(self) -> float:
        """The least over the rounds: what the others only disturb."""
        return min(self.microseconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third; equal to the median where there was one round only."""
        if len(self.microseconds) < 2:
            return self.median, self.median
        first, _, third = statistics.quantiles(self.microseconds, n=4, method="inclusive")
        return first, third


Variant = tuple[float | None, str, dict[Dtype, Packed]]  # sparsity, structure, the network by type


def masked(rows: int, columns: int, sparsity: float, blocks: bool, generator: torch.Generator) -> Tensor:
    """Returns random weights of which every one (or every block of 16 rows x 1 column) is kept with 1 - sparsity."""
    shape = (-(-rows // BLOCK), columns) if blocks else (rows, columns)
    keep = torch.rand(shape, generator=generator) >= sparsity
    weight = torch.randn(rows, columns, generator=generator) * columns**-0.5
    kept: Tensor = weight * (keep.repeat_interleave(BLOCK, 0)[:rows] if blocks else keep)
    return kept


def steps_of(streams: int) -> int:
    """Returns how many steps of a layer are timed at once."""
    return max(4, 32 // streams)


def recurrent(block: str, shape: Shape, settings: Settings) -> Iterator[list[Measurement]]:
    """Yields the measurements of one shape's product or layer, a group for each number of streams."""
    columns = shape.units
    rows = shape.cell.gates * columns
    generator = torch.Generator().manual_seed(0)
    dense = torch.randn(rows, columns, generator=generator) * columns**-0.5 if shape.weight is None else shape.weight
    sparse: list[tuple[float, str, Tensor]] = []
    if shape.weight is None:
        for sparsity in settings.sparsity:
            sparse.append((sparsity, "unstructured", masked(rows, columns, sparsity, False, generator)))
            sparse.append((sparsity, "blocks 16 x 1", masked(rows, columns, sparsity, True, generator)))
        if settings.device == "cpu":
            for sparsity in BREAK_EVEN:
                sparse.append((sparsity, FORCED, masked(rows, columns, sparsity, False, generator)))
    else:
        found = 1 - float(shape.weight.count_nonzero()) / shape.weight.numel()
        sparse.append((found, "its own mask", shape.weight))
    for streams in settings.streams:
        steps = 1 if block == PRODUCT else steps_of(streams)
        x = torch.rand(streams, columns, generator=generator)
        inputs = torch.randn(steps, streams, rows, generator=generator)
        make = _cuda_ways if settings.device == "cuda" else _cpu_ways
        ways = list(make(block, shape.cell, dense, sparse, x, inputs, settings.threads))
        with torch.no_grad():
            times = _timed(ways, settings)
        group = [
            Measurement(block, shape.name, streams, candidate, [1e6 * each / steps for each in seconds])
            for (candidate, _), seconds in zip(ways, times, strict=True)
        ]
        ways.clear()  # its matrices, before the next group's are made
        yield group


def _timed(ways: list[Way], settings: Settings) -> list[list[float]]:
    torch.set_num_threads(settings.threads)
    return in_turn([run for _, run in ways], settings.rounds, settings.seconds, SETTLE)


def _dense(each: Baseline) -> Way:
    return Candidate(each.name, each.dtype, exact=each.exact), each.run


def _runner(matrix: Any, block: str, cell: Cell, x: Tensor, inputs: Tensor) -> Callable[[], Any]:
    if block == PRODUCT:
        return partial(matrix.product, x)
    return partial(matrix.layer, cell, Activation.clipped_relu, inputs)


def _cpu_ways(
    block: str,
    cell: Cell,
    dense: Tensor,
    sparse: list[tuple[float, str, Tensor]],
    x: Tensor,
    inputs: Tensor,
    threads: int,
) -> Iterator[Way]:
    if block == PRODUCT:
        yield from map(_dense, baselines.products(dense, x, threads))
    else:
        yield from map(_dense, baselines.layers(cell, Activation.clipped_relu, dense, inputs, threads))
    sets = native.instruction_sets()

    def packed(weight: Tensor, dtype: Dtype, form: Format, name: str, sparsity: float | None, structure: str) -> Way:
        rounded = quantise(weight, dtype)
        start = time.perf_counter()
        made = Matrix(rounded, gates=cell.gates, streams=len(x), threads=threads, format=form)
        seconds = time.perf_counter() - start
        found = Candidate(
            name, dtype.value, sparsity, structure, made.format.name, packing_seconds=seconds, bytes=made.bytes
        )
        return found, _runner(made, block, cell, x, inputs)

    by_force = Format.lanes if InstructionSet.avx512 in sets else Format.rows
    if InstructionSet.avx512 in sets:
        for dtype in Dtype:
            yield packed(dense, dtype, Format.lane_dense, f"engine dense {dtype.value}", None, "dense")
    for sparsity, structure, weight in sparse:
        for dtype in Dtype if sets else ():
            form = by_force if structure == FORCED else Format.auto
            yield packed(weight, dtype, form, f"engine {dtype.value}", sparsity, structure)
        if block == PRODUCT and structure in ("unstructured", "its own mask"):
            for each in baselines.sparse_products(weight, x, threads):
                yield Candidate(each.name, each.dtype, sparsity, structure), each.run


def _cuda_ways(
    block: str,
    cell: Cell,
    dense: Tensor,
    sparse: list[tuple[float, str, Tensor]],
    x: Tensor,
    inputs: Tensor,
    threads: int,
) -> Iterator[Way]:
    x, inputs = x.cuda(), inputs.cuda()

    def finished(run: Callable[[], Any]) -> Callable[[], Any]:
        def synchronised() -> None:
            run()
            torch.cuda.synchronize()

        return synchronised

    if block == PRODUCT:
        found = opponents.cuda_products(dense, x)
    else:
        found = opponents.cuda_layers(cell, Activation.clipped_relu, dense, inputs)
    for each in found:
        if each.dense:
            # in the table a name is a column: the type belongs to it, as on the CPU
            yield Candidate(f"{each.name} {each.dtype}", each.dtype, exact=each.exact), finished(each.run)
    for sparsity, structure, weight in sparse:
        for dtype in Dtype:
            start = time.perf_counter()
            made = cuda.CudaMatrix(quantise(weight, dtype), gates=cell.gates, streams=len(x))
            seconds = time.perf_counter() - start  # with the timings that choose
            form = "dense" if made.dense is not None else "sliced"
            name = f"Triton {dtype.value}"
            candidate = Candidate(
                name, dtype.value, sparsity, structure, form, packing_seconds=seconds, bytes=made.bytes
            )
            yield candidate, finished(_runner(made, block, cell, x, inputs))
        if block == PRODUCT:
            for each in opponents.cuda_products(weight, x):
                if not each.dense:
                    yield Candidate(each.name, each.dtype, sparsity, structure), finished(each.run)


def _engine_dense(weight: Weight, **how: Any) -> Multiplier:
    how.pop("cell", None)
    return Matrix(weight, format=Format.lane_dense, **how)


def _torch_dense(weight: Weight, *, gates: int = 1, **_: Any) -> Multiplier:
    return DenseMatrix(weight, gates=gates)


def network(shape: str, variants: list[Variant], settings: Settings) -> list[Measurement]:
    """Returns the times of whole networks over a second of audio, one stream, on the CPU.

    variants: (sparsity, structure, the network by type of weights); sparsity None: with dense weights.
    """
    features = torch.randn(BINS, FRAMES, generator=torch.Generator().manual_seed(0))
    torch.set_num_threads(settings.threads)
    has_dense = InstructionSet.avx512 in native.instruction_sets()
    ways: list[Way] = []
    with torch.inference_mode():
        for sparsity, structure, by_dtype in variants:
            for dtype, packed in by_dtype.items():
                chosen: list[tuple[str, Callable[..., Multiplier]]] = [(f"prune-rnn {dtype.value}", fastest)]
                if sparsity is None:
                    chosen = [("torch float32", _torch_dense)] if dtype is Dtype.float32 else []
                    chosen += [(f"engine dense {dtype.value}", _engine_dense)] if has_dense else []
                for name, choose in chosen:
                    start = time.perf_counter()
                    made = Network(packed, choose=choose)
                    seconds = time.perf_counter() - start
                    candidate = Candidate(name, dtype.value, sparsity, structure, packing_seconds=seconds)
                    ways.append((candidate, partial(made.log_probs, features)))
        times = _timed(ways, settings)
    return [
        Measurement(NETWORK, shape, 1, candidate, [1e6 * each for each in seconds])
        for (candidate, _), seconds in zip(ways, times, strict=True)
    ]


def random_networks(config: ModelConfig, kept: dict[str, Any], sparsity: Sequence[float]) -> list[Variant]:
    """Returns `variants` for `network`: the shape with random weights, dense and with random masks on all matrices."""
    torch.manual_seed(0)
    state = DeepSpeech2(config).eval().state_dict()
    variants: list[Variant] = []
    statistics_ = torch.zeros(BINS), torch.ones(BINS)
    for target in (None, *sparsity):
        own = dict(state)
        if target is not None:
            for name, value in state.items():
                if value.dim() == 2:
                    own[name] = value * (torch.rand_like(value) >= target)
        structure = "dense" if target is None else "unstructured"
        variants.append((target, structure, {dtype: pack(own, kept, dtype, *statistics_) for dtype in Dtype}))
    return variants
