"""Whatever multiplies does what its cell's reference step says, for every cell and every type of weights."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from prune_rnn.engine import compiled
from prune_rnn.engine.base import Backend
from prune_rnn.engine.compiled import Format, Matrix
from prune_rnn.engine.cuda import BLOCKS, CublasMatrix, CudaMatrix
from prune_rnn.engine.quantise import Dtype, Weight, quantise, quantised_vectors
from prune_rnn.engine.torch import CsrMatrix, DenseMatrix
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import CLIP, Activation
from prune_rnn.native.library import InstructionSet

Make = Callable[..., Backend]
SETS = compiled.instruction_sets()
HERE = "this machine has none, or the engine wasn't built"
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
needs_device = pytest.mark.skipif(not torch.cuda.is_available() or INTERPRETED, reason="no CUDA device")
interpreter = pytest.mark.skipif(not INTERPRETED, reason="run by test_cuda.py under TRITON_INTERPRET=1")


def engine_matrix(weight: Weight, format: Format, *, instruction_set: InstructionSet, **how: Any) -> Matrix:
    if format not in compiled.formats(weight.dtype, instruction_set):
        pytest.skip(f"{instruction_set.name} has no {format.name} of {weight.dtype.value}")
    return Matrix(weight, format, instruction_set=instruction_set, **how)


MULTIPLIERS = [
    *(
        pytest.param(
            partial(engine_matrix, threads=2, instruction_set=each, format=form),
            id=f"engine-{each.name}-{form.name}",
            marks=pytest.mark.skipif(each not in SETS, reason=HERE),
        )
        for each in InstructionSet
        if each is not InstructionSet.avx512  # it has the formats of AVX2
        for form in Format
        if form in compiled.formats(Dtype.int8, each)
    ),
    pytest.param(CsrMatrix, id="torch-csr"),
    pytest.param(DenseMatrix, id="torch-dense"),
    pytest.param(partial(CudaMatrix, block=BLOCKS[0]), id="cuda-sparse", marks=needs_device),
    pytest.param(CublasMatrix, id="cuda-dense", marks=needs_device),
    pytest.param(partial(CudaMatrix, device="cpu", block=(16, 16, 1)), id="interpreted-sparse", marks=interpreter),
    pytest.param(partial(CublasMatrix, device="cpu"), id="interpreted-dense", marks=interpreter),
]
each_multiplier = pytest.mark.parametrize("make", MULTIPLIERS)
each_cell = pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
each_dtype = pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
UNITS = 21  # more than a slice, no multiple of anything


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pruned(rows: int, columns: int, dtype: Dtype) -> Weight:
    """A random matrix with an empty first row and a full third."""
    keep = torch.rand(rows, columns, generator=torch.Generator().manual_seed(1)) < 0.3
    keep[0], keep[2] = False, True
    return quantise(random(rows, columns) * keep / (0.3 * columns) ** 0.5, dtype)


def rounding(matrix: Backend) -> Dtype:
    """What its vectors are rounded to: on a CUDA device they aren't."""
    return Dtype.float32 if isinstance(matrix, CudaMatrix | CublasMatrix) else matrix.dtype


# a vector at the edge between two steps of int8 or bfloat16 may round to either side
TOLERANCE = {Dtype.float32: 2e-5, Dtype.bfloat16: 2e-2, Dtype.int8: 4e-2}


def close(found: Tensor, wanted: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(found.cpu().double(), wanted, atol=tolerance, rtol=tolerance)


@each_multiplier
@each_dtype
@pytest.mark.parametrize("streams", [1, 5])
def test_products(make: Make, dtype: Dtype, streams: int) -> None:
    weight, x = pruned(30, 20, dtype), random(streams, 20, seed=2)
    matrix = make(weight)
    close(matrix.product(x), quantised_vectors(x, rounding(matrix)).double() @ weight.float().double().t(), 2e-5)


@each_multiplier
@each_cell
@each_dtype
@pytest.mark.parametrize("activation", Activation, ids=lambda each: each.name)
def test_layers(make: Make, cell: Cell, dtype: Dtype, activation: Activation, reference: Callable[..., Tensor]) -> None:
    """From nothing forward; and backward from a given state."""
    weight = pruned(cell.gates * UNITS, UNITS, dtype)
    matrix = make(weight, gates=cell.gates)
    run = partial(matrix.layer, cell, activation)
    wanted_by = partial(
        reference, cell, activation, weight.float(), rounded=lambda h: quantised_vectors(h.float(), rounding(matrix))
    )
    tolerance = TOLERANCE[rounding(matrix)]

    x = random(3, 2, cell.gates * UNITS, seed=3)
    clipped = cell.follows_activation and activation is Activation.clipped_relu
    if clipped:
        x[1, :, -UNITS:] *= 30
    wanted = wanted_by(x)
    assert clipped == bool(wanted.max() > CLIP / 4)
    states, last = run(x)
    close(states, wanted, tolerance)
    assert torch.equal(last[:, :UNITS], states[-1])
    first, state = run(x[:2])
    second, _ = run(x[2:], state=state)
    close(torch.cat([first, second]), wanted, tolerance)

    x, given = random(3, 4, cell.gates * UNITS, seed=4), random(4, cell.vectors * UNITS, seed=5)
    before = given.clone()
    states, last = run(x, state=given, reverse=True)
    close(states, wanted_by(x, state=given, reverse=True), tolerance)
    assert torch.equal(last[:, :UNITS], states[0]) and torch.equal(given, before)


@each_multiplier
@each_cell
@each_dtype
@pytest.mark.parametrize("streams", [1, 5])
def test_both_ways_at_once_is_one_after_the_other(make: Make, cell: Cell, dtype: Dtype, streams: int) -> None:
    """Not a bit differs."""
    weight = pruned(cell.gates * UNITS, UNITS, dtype)
    ahead, back = make(weight, gates=cell.gates), make(Weight(weight.values.flip(1), weight.scale), gates=cell.gates)
    x = random(4, streams, cell.gates * UNITS, seed=3)
    found = ahead.both_ways(back, cell, Activation.tanh, x)
    assert torch.equal(found[0], ahead.layer(cell, Activation.tanh, x)[0])
    assert torch.equal(found[1], back.layer(cell, Activation.tanh, x, reverse=True)[0])


@each_multiplier
@each_dtype
@pytest.mark.parametrize("streams", [1, 5])
def test_nan_in_gives_nan_out(make: Make, dtype: Dtype, streams: int) -> None:
    """In every row, also those that have no weight there, as in the dense product; the other streams are as ever."""
    weight, x = pruned(30, 20, dtype), random(streams, 20, seed=2)
    matrix = make(weight)
    if matrix.device.type != "cpu" or isinstance(matrix, CudaMatrix | CublasMatrix):
        pytest.skip("the kernels are for finite vectors")
    wanted = matrix.product(x)
    for value in (torch.nan, torch.inf):
        spoilt = x.clone()
        spoilt[streams // 2, 7] = value
        found = matrix.product(spoilt)
        others = torch.arange(streams) != streams // 2
        assert torch.equal(found[others], wanted[others])
        if value != value or not isinstance(matrix, DenseMatrix):
            assert found[~others].isnan().all()


@each_multiplier
@each_cell
@each_dtype
@pytest.mark.parametrize("activation", Activation, ids=lambda each: each.name)
def test_nan_in_a_layer_spreads(make: Make, cell: Cell, dtype: Dtype, activation: Activation) -> None:
    """To its unit in its step, and to all units of its stream in the next."""
    matrix = make(pruned(cell.gates * UNITS, UNITS, dtype), gates=cell.gates)
    if matrix.device.type != "cpu" or isinstance(matrix, CudaMatrix | CublasMatrix):
        pytest.skip("the kernels are for finite vectors")
    x = random(4, 2, cell.gates * UNITS, seed=3)
    x[1, 0, 5::UNITS] = torch.nan
    states, _ = matrix.layer(cell, activation, x)
    assert states[1, 0].isnan().nonzero().flatten().tolist() == [5]
    assert states[2:, 0].isnan().all() and states[:, 1].isfinite().all() and states[0].isfinite().all()


@each_multiplier
def test_what_does_not_fit_is_refused(make: Make) -> None:
    gru, rnn = Cells.gru.value, Cells.rnn.value
    with pytest.raises(ValueError, match="10 rows can't hold 3 gates"):
        make(Weight(torch.ones(10, 4)), gates=3)
    with pytest.raises(ValueError, match="48 x 8 is not a recurrent one of 16 units"):
        make(Weight(torch.ones(48, 8)), gates=3).layer(gru, Activation.tanh, torch.zeros(1, 1, 48))
    with pytest.raises(ValueError, match="matrix of 1 gates in a layer of the gru, which has 3"):
        make(Weight(torch.ones(48, 48))).layer(gru, Activation.tanh, torch.zeros(1, 1, 48))
    matrix = make(Weight(torch.ones(8, 8)))
    with pytest.raises(ValueError, match=r"shape \(2, 5\) where \(streams, 8\) is wanted"):
        matrix.product(torch.zeros(2, 5))
    x = torch.zeros(3, 2, 8)
    with pytest.raises(ValueError, match=r"shape \(3, 2, 7\) where \(steps, streams, 8\) is wanted"):
        matrix.layer(rnn, Activation.tanh, x[..., :7])
    with pytest.raises(ValueError, match=r"shape \(1, 8\) where \(2, 8\) is wanted"):
        matrix.layer(rnn, Activation.tanh, x, state=torch.zeros(1, 8))
