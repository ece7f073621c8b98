"""The engine against a double-precision reference, on every instruction set that this machine has."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from prune_rnn.engine import compiled
from prune_rnn.engine.compiled import Format, Matrix, formats
from prune_rnn.engine.quantise import Dtype, Weight, quantise, quantised_vectors
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation
from prune_rnn.native.library import InstructionSet

SETS = compiled.instruction_sets()
pytestmark = pytest.mark.skipif(not SETS, reason="the engine wasn't built: no C++ compiler at installation")
each_set = pytest.mark.parametrize(
    "instruction_set",
    [
        pytest.param(s, id=s.name, marks=pytest.mark.skipif(s not in SETS, reason=f"this CPU has no {s.name}"))
        for s in InstructionSet
        if s is not InstructionSet.avx512  # it has the formats of AVX2
    ],
)
each_dtype = pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
# of a layer: a vector at the edge between two steps of int8 or bfloat16 may round to either side
TOLERANCE = {Dtype.float32: 1e-5, Dtype.bfloat16: 2e-2, Dtype.int8: 4e-2}


def random_weight(rows: int, columns: int, density: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    keep = torch.rand(rows, columns, generator=generator) < density
    return torch.randn(rows, columns, generator=generator) * keep


@each_set
def test_the_largest_int8_values_are_exact(instruction_set: InstructionSet) -> None:
    """All weights 127 or -127 and all of the vector at its ends: sums of 16 bits would overflow."""
    x = torch.tensor([[255.0] * 90, [0.0, 255.0] * 45, [-127.0] * 90, [127.0, -127.0] * 45])
    values = torch.full((32, 90), 127, dtype=torch.int8)
    values[1::2] *= -1
    values[5, ::2] *= -1
    weight = Weight(values, torch.ones(32))
    for form in formats(Dtype.int8, instruction_set):
        for streams in range(1, 5):
            y = Matrix(weight, form, streams=streams, instruction_set=instruction_set).product(x[:streams])
            torch.testing.assert_close(y, x[:streams] @ values.float().t(), atol=0, rtol=1e-6)


def assert_products(matrix: Matrix, weight: Weight, x: Tensor) -> None:
    """The product agrees to float32 rounding: 1e-5 of the sum of the terms' magnitudes."""
    rounded, dense = quantised_vectors(x, weight.dtype).double(), weight.float().double()
    error = (matrix.product(x).double() - rounded @ dense.t()).abs()
    assert (error <= 1e-5 * (rounded.abs() @ dense.abs().t()) + 1e-30).all(), (matrix.format, float(error.max()))


@each_set
@each_dtype
@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 70), columns=st.integers(1, 300), density=st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]),
    streams=st.sampled_from([1, 2, 3, 4, 7, 8, 15, 16, 17, 40, 70]), threads=st.integers(1, 3),
    negative=st.booleans(), seed=st.integers(0, 1000),
)  # fmt: skip
def test_any_product_agrees(
    instruction_set: InstructionSet, dtype: Dtype, rows: int, columns: int, density: float, streams: int,
    threads: int, negative: bool, seed: int,
) -> None:  # fmt: skip
    weight = quantise(random_weight(rows, columns, density, seed), dtype)
    x = torch.randn(streams, columns, generator=torch.Generator().manual_seed(seed + 1))
    for form in formats(dtype, instruction_set):
        matrix = Matrix(weight, streams=streams, threads=threads, instruction_set=instruction_set, format=form)
        assert_products(matrix, weight, x if negative else x.clamp_min(0))


@each_set
@each_dtype
def test_every_lane_and_slot_is_reached(instruction_set: InstructionSet, dtype: Dtype) -> None:
    """One row at a time holds all the weights: 3 at column 0, 4 at column 1 ... so every slot of its lane counts."""
    columns = 200
    x = torch.arange(1, columns + 1).remainder(5).float()[None]  # 0 to 4
    values = torch.arange(columns).remainder(7).float() + 3
    wanted = float(x.double()[0] @ values.double())
    for row in range(33):  # two slices and the first lane of a third
        weight = torch.zeros(33, columns)
        weight[row] = values
        # int8: x is stored as multiples of 4/255 and weights of 9/127
        tolerance = 0.02 * wanted if dtype is Dtype.int8 else 0.0
        for form in formats(dtype, instruction_set):
            y = Matrix(quantise(weight, dtype), instruction_set=instruction_set, format=form).product(x)[0]
            assert abs(float(y[row]) - wanted) <= tolerance, form
            assert y.count_nonzero() == 1, form


@each_set
@each_dtype
def test_weights_past_a_cores_cache_agree(instruction_set: InstructionSet, dtype: Dtype) -> None:
    """A matrix of about a megabyte for its thread: lanes take wider windows for a single vector."""
    columns, density = 3000, 0.1
    weight = quantise(random_weight(int(400_000 / density / columns), columns, density, 0), dtype)
    x = torch.randn(2, columns, generator=torch.Generator().manual_seed(1))
    form = Format.lanes if Format.lanes in formats(dtype, instruction_set) else Format.rows
    for streams in (1, 2):
        matrix = Matrix(weight, streams=streams, threads=1, instruction_set=instruction_set, format=form)
        for several in (x[:1], x):
            assert_products(matrix, weight, several)
    if instruction_set is InstructionSet.avx512_vnni:
        wide = Matrix(weight, streams=1, threads=1, instruction_set=instruction_set, format=form)
        assert wide.vectors < matrix.vectors


@each_set
def test_blocks_keep_their_rows_when_threads_share_them(instruction_set: InstructionSet) -> None:
    """Parts are whole slices of 16 rows: 16 x 1 blocks pack to exactly their number, whatever the threads."""
    blocks = torch.rand(20, 400, generator=torch.Generator().manual_seed(0)) < 0.3
    weight = Weight(blocks.repeat_interleave(16, 0).float())
    for threads in (1, 2, 3):
        matrix = Matrix(weight, threads=threads, streams=8, format=Format.blocks, instruction_set=instruction_set)
        assert matrix.vectors == int(blocks.sum()) and matrix.nonzero == 16 * matrix.vectors
        assert matrix.threads == threads  # some 300,000 products: each has its share


@each_set
@each_dtype
@pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
@pytest.mark.parametrize("activation", Activation, ids=lambda activation: activation.name)
@settings(deadline=None, max_examples=12)
@given(
    units=st.sampled_from([1, 5, 16, 24, 70, 129]), steps=st.integers(1, 6), streams=st.sampled_from([1, 3, 9]),
    density=st.sampled_from([0.0, 0.1, 1.0]), threads=st.integers(1, 3), reverse=st.booleans(),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_any_layer_agrees(
    instruction_set: InstructionSet, dtype: Dtype, cell: Cell, activation: Activation, units: int, steps: int,
    streams: int, density: float, threads: int, reverse: bool, seed: int, reference: Callable[..., Tensor],
) -> None:  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    weight = quantise(random_weight(cell.gates * units, units, density, seed) * units**-0.5, dtype)
    x = torch.randn(steps, streams, cell.gates * units, generator=generator)
    state = torch.rand(streams, cell.vectors * units, generator=generator)
    wanted = reference(
        cell, activation, weight.float(), x, state=state, reverse=reverse,
        rounded=lambda h: quantised_vectors(h.float(), dtype),
    )  # fmt: skip
    for form in formats(dtype, instruction_set):
        matrix = Matrix(
            weight, gates=cell.gates, streams=streams, threads=threads, instruction_set=instruction_set, format=form
        )
        found, last = matrix.layer(cell, activation, x, state=state, reverse=reverse)
        torch.testing.assert_close(found.double(), wanted, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])
        assert torch.equal(last[:, :units], found[0 if reverse else -1])


@each_set
def test_the_number_of_threads_changes_nothing(instruction_set: InstructionSet) -> None:
    """Sums are within rows, and rows whole: not a bit differs."""
    weight = quantise(random_weight(480, 160, 0.3, 0), Dtype.float32)
    x = torch.randn(7, 3, 480, generator=torch.Generator().manual_seed(1))
    results = [
        Matrix(weight, gates=3, threads=threads, instruction_set=instruction_set, format=Format.rows).layer(
            Cells.gru.value, Activation.clipped_relu, x
        )[0]
        for threads in (1, 2, 4)
    ]
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])


@each_set
@each_dtype
def test_the_number_of_vectors_that_it_was_packed_for_changes_nothing(
    instruction_set: InstructionSet, dtype: Dtype
) -> None:
    """A single vector takes fewer threads than parts. Sums of another order differ in their last bits."""
    weight = quantise(random_weight(480, 160, 0.3, 0), dtype)
    generator = torch.Generator().manual_seed(1)
    x, steps = torch.randn(1, 160, generator=generator), torch.randn(7, 1, 480, generator=generator)
    for form in formats(dtype, instruction_set):
        matrices = [
            Matrix(weight, form, gates=3, threads=threads, streams=streams, instruction_set=instruction_set)
            for threads, streams in ((1, 1), (4, 64))
        ]
        one, other = (matrix.layer(Cells.gru.value, Activation.clipped_relu, steps)[0] for matrix in matrices)
        torch.testing.assert_close(one, other, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])
        one, other = (matrix.product(x) for matrix in matrices)
        torch.testing.assert_close(one, other)


@each_set
@pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_both_ways_share_the_threads(instruction_set: InstructionSet, cell: Cell, threads: int) -> None:
    """Whether a direction has one part or several, and each thread one of them or several: not a bit differs."""
    units = 304
    form = Format.lanes if Format.lanes in formats(Dtype.int8, instruction_set) else Format.rows
    make = partial(Matrix, format=form, gates=cell.gates, threads=threads, instruction_set=instruction_set)
    first = make(quantise(random_weight(cell.gates * units, units, 0.6, 0), Dtype.int8))
    for density in (0.02, 0.6):  # one part, which is all that so few weights are worth, and as many as the first has
        second = make(quantise(random_weight(cell.gates * units, units, density, 1), Dtype.int8))
        assert second.threads == (1 if density < 0.1 else first.threads) and first.threads > (threads > 1)
        x = torch.randn(9, 1, cell.gates * units, generator=torch.Generator().manual_seed(1))
        found = first.both_ways(second, cell, Activation.clipped_relu, x)
        assert torch.equal(found[0], first.layer(cell, Activation.clipped_relu, x)[0])
        assert torch.equal(found[1], second.layer(cell, Activation.clipped_relu, x, reverse=True)[0])


def test_what_the_engine_can_not_take_is_said() -> None:
    with pytest.raises(ValueError, match="70000 columns: the engine takes at most 65536"):
        Matrix(Weight(torch.zeros(1, 70_000)), Format.rows)
    with pytest.raises(ValueError, match="plain has no format lanes of float32"):
        Matrix(Weight(torch.zeros(4, 4)), instruction_set=InstructionSet.plain, format=Format.lanes)
    with pytest.raises(ValueError, match="weight of -128: the engine takes -127 to 127"):
        Matrix(Weight(torch.full((4, 4), -128, dtype=torch.int8), torch.ones(4)), Format.rows)
    with pytest.raises(ValueError, match="int8 weights need the scales of their rows"):
        Matrix(Weight(torch.zeros(4, 4, dtype=torch.int8)), Format.rows)
    with pytest.raises(ValueError, match=r"scales of shape \(1,\) for 4 rows"):
        Matrix(Weight(torch.zeros(4, 4, dtype=torch.int8), torch.ones(1)), Format.rows)


@each_set
def test_ties_round_alike_on_every_set(instruction_set: InstructionSet) -> None:
    """A product fused with the sum that rounds it would see digits that float32 does not have."""
    x = torch.randn(16, 4000, generator=torch.Generator().manual_seed(1))
    x[:, 0] = 127 / 37
    x[:, 1:200] = (torch.arange(199) - 99.5) / 37  # as near to ties as float32 gets
    x = x.clamp(-127 / 37, 127 / 37)
    wanted = quantised_vectors(x, Dtype.int8)
    one_of_each = quantise(torch.eye(4000)[:400], Dtype.int8)
    for form in formats(Dtype.int8, instruction_set):
        for streams in (1, 16):
            matrix = Matrix(one_of_each, streams=streams, instruction_set=instruction_set, format=form)
            torch.testing.assert_close(matrix.product(x[:streams]), wanted[:streams, :400], atol=0, rtol=1e-6)


@each_set
@pytest.mark.parametrize("threads", [1, 2])
def test_denormals_are_zero_within_and_as_before_without(instruction_set: InstructionSet, threads: int) -> None:
    units, half = 512, torch.tensor(0.5)
    weight = quantise(random_weight(3 * units, units, 0.1, 0), Dtype.float32)
    for form in formats(Dtype.float32, instruction_set):
        matrix = Matrix(weight, gates=3, threads=threads, instruction_set=instruction_set, format=form)
        assert not matrix.product(torch.full((1, units), 1e-39)).any(), form
        assert float(torch.tensor(1e-39) * half) > 0
    torch.set_flush_denormal(True)
    matrix.product(torch.ones(1, units))
    assert float(torch.tensor(1e-39) * half) == 0


@each_set
def test_a_matrix_past_the_limits_is_refused(instruction_set: InstructionSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MOST_WEIGHTS", 63)
    Matrix(Weight(torch.ones(7, 9)), Format.rows, instruction_set=instruction_set)
    with pytest.raises(ValueError, match="64 weights that are not zero: the engine takes at most 63"):
        Matrix(Weight(torch.ones(8, 8)), Format.rows, instruction_set=instruction_set)


# threads that were begun: by a product and a layer of one vector, then by a product of 64
_BEGUN = """
import os, torch
from prune_rnn.engine.compiled import Format, Matrix
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation
def count(): return len(os.listdir("/proc/self/task"))
weight = quantise(torch.ones(120, 120), Dtype.float32)
matrix = Matrix(weight, Format.rows, streams=64, threads=3)
before, (x, inputs) = count(), (torch.ones(64, 120), torch.ones(2, 1, 120))
matrix.product(x[:1]), matrix.layer(Cells.rnn.value, Activation.tanh, inputs)
few = count()
matrix.product(x)
print(matrix.threads, few - before, count() - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_a_small_product_wakes_no_thread_whatever_the_matrix_was_packed_for(tmp_path: Path) -> None:
    """Packed for the frames of whole files, a stream's single frames woke all threads, for fourteen times the work."""
    elsewhere = {"cwd": tmp_path, "capture_output": True, "text": True}  # the checkout has no library
    done = subprocess.run([sys.executable, "-c", _BEGUN], check=True, **elsewhere)
    assert done.stdout.split() == ["3", "0", "2"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_goes_on_by_itself() -> None:
    """OpenMP's threads are not there: asking for them hangs."""
    matrix = Matrix(quantise(random_weight(512, 512, 1.0, 0), Dtype.float32), Format.rows, threads=2)
    x = torch.ones(1, 512)
    wanted = matrix.product(x).numpy()
    given, product = x.numpy(), np.zeros((1, 512), np.float32)  # no call of torch in the fork
    child = os.fork()
    if child == 0:
        matrix._library.prune_rnn_product(matrix._pointer, 1, given.ctypes.data, product.ctypes.data)
        os._exit(0 if (product == wanted).all() else 1)
    for _ in range(500):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.02)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert done and status == 0
