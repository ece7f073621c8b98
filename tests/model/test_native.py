"""The C++ time loops do what torch's operations do, and the convolutions what their formulas say."""

import math
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.library import InstructionSet
from prune_rnn.model import native
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

CELLS = {each.name: (each.value.states, each.value.gates) for each in Cells}
BUILT = native.instruction_sets()
needs_library = pytest.mark.skipif(not BUILT, reason="the native library isn't built")
both_cells = pytest.mark.parametrize("cell", CELLS)
UNEVEN = [13, 13, 9, 8, 8, 3, 1, 1]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def inputs(cell: str, units: int, batch_sizes: list[int], activation: Activation) -> tuple[Tensor, Tensor]:
    """x and weight; under the clipped ReLU some candidates are beyond 20, some under 0."""
    gates = CELLS[cell][1]
    x = random(sum(batch_sizes), gates * units)
    if activation is Activation.clipped_relu:
        x[:, -units:] *= 15
    return x, random(gates * units, units, seed=1) / math.sqrt(units)


def run(
    cell: str, x: Tensor, weight: Tensor, batch_sizes: list[int], activation: Activation, reverse: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the states, and the gradients of x and weight under sum(states * fixed random numbers)."""
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    found = CELLS[cell][0](x, weight, torch.tensor(batch_sizes), activation, reverse)
    (found * random(*found.shape, seed=2).to(found.dtype)).sum().backward()
    assert x.grad is not None and weight.grad is not None
    return found.detach(), x.grad, weight.grad


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def flushing(wanted: bool) -> Iterator[None]:
    torch.set_flush_denormal(wanted)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def flushes() -> bool:
    """Whether this thread flushes denormal numbers now; a single element never leaves it."""
    return bool((torch.tensor([1e-30]) * 1e-10 == 0).item())


@needs_library
@pytest.mark.parametrize("batch_sizes", [UNEVEN, [1] * 5, [16, 16]], ids=["uneven", "one", "even"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("units", [1, 22, 33, 55, 80, 140])
@pytest.mark.parametrize("activation", Activation)
@both_cells
def test_it_agrees_with_torch(
    cell: str, activation: Activation, units: int, reverse: bool, batch_sizes: list[int]
) -> None:
    x, weight = inputs(cell, units, batch_sizes, activation)
    with native.using(None), threads(1):
        wanted = run(cell, x, weight, batch_sizes, activation, reverse)
    if activation is Activation.clipped_relu and units > 1:
        assert (wanted[0] == 0).any()
        assert cell == "gru" or (wanted[0] == 20).any()
    for instruction_set in BUILT:
        with native.using(instruction_set), threads(1):
            found = run(cell, x, weight, batch_sizes, activation, reverse)
        for a, b in zip(found, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-6 * b.abs().max().item())


@needs_library
@pytest.mark.parametrize("instruction_set", BUILT)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@both_cells
def test_threads_change_no_bit(cell: str, reverse: bool, instruction_set: InstructionSet) -> None:
    """Nor does the batch: an utterance's states are the same alone."""
    sizes = [*UNEVEN, *[1] * 40]
    x, weight = inputs(cell, 80, sizes, Activation.tanh)
    found = []
    with native.using(instruction_set):
        for count in (1, 2, 3):
            with threads(count):
                found.append(run(cell, x, weight, sizes, Activation.tanh, reverse))
        first = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        alone = run(cell, x[first], weight, [1] * len(sizes), Activation.tanh, reverse)
    one, *several = found
    for other in several:
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])
        torch.testing.assert_close(one[2], other[2])  # torch's own product
    assert torch.equal(one[0][first], alone[0])


@needs_library
@pytest.mark.parametrize("instruction_set", BUILT)
def test_functions_to_a_few_units_in_the_last_place(instruction_set: InstructionSet) -> None:
    """One step from nothing: the RNN's state is tanh(x); with a candidate of 1, the GRU's is sigmoid(x_z)."""
    x = torch.cat([torch.linspace(-20, 20, 4001), torch.logspace(-30, 1, 500), torch.tensor([0.0, 200.0, math.inf])])
    sizes, none = torch.tensor([len(x)]), torch.zeros(1, 1)
    with native.using(instruction_set):
        tanh = Cells.rnn.value.states(x[:, None], none, sizes, Activation.tanh)[:, 0]
        gates = torch.stack([x, torch.zeros_like(x), torch.ones_like(x)], dim=1)
        sigmoid = Cells.gru.value.states(gates, none.expand(3, 1), sizes, Activation.clipped_relu)[:, 0]
    torch.testing.assert_close(tanh.double(), x.double().tanh(), rtol=3e-7, atol=0)
    torch.testing.assert_close(sigmoid.double(), x.double().sigmoid(), rtol=3e-7, atol=0)


@needs_library
@pytest.mark.parametrize("activation", Activation)
@both_cells
def test_nan_stays_in_its_utterance_and_is_seen(cell: str, activation: Activation) -> None:
    x, weight = inputs(cell, 20, [3, 3, 3], activation)
    x[4] = math.nan
    for instruction_set in BUILT:
        with native.using(instruction_set):
            found, _, _ = run(cell, x, weight, [3, 3, 3], activation)
        assert found.isnan().all(dim=1).tolist() == [False] * 4 + [True] + [False, False, True, False]


@needs_library
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="elsewhere each thread keeps its own setting")
@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_denormal_numbers_go_as_the_caller_has_it(count: int, wanted: bool) -> None:
    """x is denormal throughout: flushed to zero on every thread, or on none; the caller's setting stays."""
    x, none = torch.full((12 * 100, 64), 1e-40), torch.zeros(64, 64)
    with flushing(wanted), threads(count):
        assert flushes() is wanted
        found = Cells.rnn.value.states(x, none, torch.full((100,), 12), Activation.clipped_relu)
        assert flushes() is wanted
    assert (found == 0).all().item() is wanted
    assert wanted or torch.equal(found, x)


@needs_library
@both_cells
def test_what_it_serves(cell: str) -> None:
    """float32 on the CPU, laid out as it may be; a context takes torch's operations, backward as forward."""
    function, gates = CELLS[cell]
    sizes, x, weight = torch.tensor([2, 1]), random(3, gates * 4), random(gates * 4, 4)

    def name(x: Tensor, weight: Tensor) -> str:
        node = function(x.requires_grad_(), weight, sizes, Activation.tanh).grad_fn
        return type(node).__name__.removesuffix("Backward")

    assert name(x, weight) == "_Layer"
    assert name(x.double(), weight.double()) == "_Loop"
    with native.using(None):
        assert native.chosen() is None
        assert name(x, weight) == "_Loop"
    assert native.chosen() is BUILT[0]
    scattered = [each.detach().t().contiguous().t() for each in (x, weight)]
    arguments = [2, 1], Activation.tanh
    assert all(map(torch.equal, run(cell, *scattered, *arguments), run(cell, x.detach(), weight, *arguments)))


@needs_library
@both_cells
@pytest.mark.parametrize("sizes", [[1, 2], [2, 2], [2], [3, 0], []], ids=str)
def test_sizes_that_do_not_fit_are_refused(cell: str, sizes: list[int]) -> None:
    function, gates = CELLS[cell]
    with pytest.raises(ValueError, match="never grow, and add up"):
        function(random(3, gates), random(gates, 1), torch.tensor(sizes, dtype=torch.int64), Activation.tanh)


@both_cells
def test_shapes_that_do_not_fit_are_torchs_to_refuse(cell: str) -> None:
    function, gates = CELLS[cell]
    with pytest.raises(RuntimeError):
        function(random(3, gates * 4 + 1), random(gates * 4, 4), torch.tensor([2, 1]), Activation.tanh)


def test_an_instruction_set_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "instruction_sets", lambda: [])
    assert native.chosen() is None
    with pytest.raises(ValueError, match="can't run on avx2"), native.using(InstructionSet.avx2):
        pass


@both_cells
def test_without_the_library_torch_serves(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = inputs(cell, 5, [2, 1], Activation.tanh)
    wanted = run(cell, x.double(), weight.double(), [2, 1], Activation.tanh)
    monkeypatch.setattr(native, "instruction_sets", lambda: [])
    for a, b in zip(run(cell, x, weight, [2, 1], Activation.tanh), wanted, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-6)


@needs_library
@pytest.mark.parametrize("frames", [0, 1, 2, 15, 29, 65])
@pytest.mark.parametrize("units", [1, 3, 33, 80])
@pytest.mark.parametrize("taps", [1, 7])
@pytest.mark.parametrize("activation", Activation)
def test_a_row_convolution_is_its_formula(activation: Activation, taps: int, units: int, frames: int) -> None:
    """y_t = f(g sum_j w_j x_(t+j) + b), in double precision; some are beyond both corners of the clipped ReLU."""
    x, weight = random(frames + taps - 1, units), random(taps, units, seed=1) / math.sqrt(taps)
    gain, shift = 10 * random(units, seed=2), random(units, seed=3)
    wide = [each.double() for each in (x, weight, gain, shift)]
    sums = torch.zeros(frames, units, dtype=torch.float64)
    for tap in range(taps):
        sums += wide[0][tap : tap + frames] * wide[1][tap]
    before = wide[2] * sums + wide[3]
    wanted = activation(before)
    if frames * units > 1000:
        assert before.min() < 0 and before.max() > 20
    for instruction_set in BUILT:
        with native.using(instruction_set):
            found = native.RowConvolution(weight, gain, shift, activation is Activation.tanh)(x)
        assert found.dtype is torch.float32
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=3e-5)


@needs_library
@pytest.mark.parametrize("instruction_set", BUILT)
def test_neither_threads_nor_more_frames_change_a_row_convolution(instruction_set: InstructionSet) -> None:
    """200 frames, 8 taps, 1000 units: enough for three threads. NaN reaches the 8 frames that see it, in its unit."""
    x, weight, gain, shift = random(207, 1000), random(8, 1000, seed=1), random(1000, seed=2), random(1000, seed=3)
    found = []
    with native.using(instruction_set):
        made = native.RowConvolution(weight, gain, shift, tanh=True)
    for count in (1, 2, 3):
        with threads(count):
            found.append(made(x))
    few = made(x[50:60])
    x[100, 500] = math.nan
    lost = made(x).isnan()
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2]) and torch.equal(found[0][50:53], few)
    assert lost.sum() == 8 and lost[93:101, 500].all()


@needs_library
def test_a_row_convolution_of_what_does_not_fit_is_refused() -> None:
    """7 taps of 4 units: 6 frames give none, 5 are too few."""
    weight, per_unit = torch.zeros(7, 4), torch.zeros(4)
    made = native.RowConvolution(weight, per_unit, per_unit, tanh=False)
    assert made(torch.zeros(6, 4)).shape == (0, 4)
    for frames, units in ((5, 4), (9, 3)):
        with pytest.raises(ValueError, match=f"{frames} frames of {units} units for 7 taps of 4"):
            made(torch.zeros(frames, units))
    with pytest.raises(ValueError, match=r"gain \(4,\) and shift \(1,\) for 4 units"):
        native.RowConvolution(weight, per_unit, torch.zeros(1), tanh=False)
    with pytest.raises(ValueError, match=r"takes float32 on the CPU, not torch.float64 on cpu"):
        made(torch.zeros(9, 4).double())


@needs_library
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(("stride", "padding"), [((2, 1), 3), ((2, 2), 2), ((1, 1), 0), ((3, 2), 1)])
@pytest.mark.parametrize(("batch", "frames"), [(1, 4), (1, 9), (3, 5)])
@pytest.mark.parametrize(("channels", "bins"), [((1, 4), 161), ((3, 5), 20), ((2, 1), 7)])
def test_a_convolution_is_torchs_in_double_precision(
    channels: tuple[int, int], bins: int, batch: int, frames: int, stride: tuple[int, int], padding: int, rounded: bool
) -> None:
    """Rounding to bfloat16 costs the result up to 2^-9; on which side of a tie it falls may differ."""
    x, weight = random(batch, frames, channels[0], bins), random(channels[1], channels[0], 7, 4, seed=1)
    kept = [each.bfloat16().double() if rounded else each.double() for each in (x.permute(0, 2, 3, 1), weight)]
    wanted = F.conv2d(*kept, None, stride, (padding, 0)).permute(0, 3, 1, 2)
    for instruction_set in BUILT:
        with native.using(instruction_set):
            found = native.Convolution(weight, stride, padding, rounded)(x)
        torch.testing.assert_close(found.double(), wanted, rtol=2**-8 if rounded else 1e-5, atol=3e-5)
        assert torch.equal(found, found.bfloat16().float()) == rounded


@needs_library
@pytest.mark.parametrize("instruction_set", BUILT)
def test_neither_threads_nor_the_batch_change_a_convolution(instruction_set: InstructionSet) -> None:
    """NaN stays NaN, rounded too, in the 4 frames that see it, in its utterance."""
    x, weight = random(2, 9, 8, 60), random(6, 8, 21, 4, seed=1)
    with native.using(instruction_set):
        made = native.Convolution(weight, (2, 1), 10, rounded=True)
    found = []
    for count in (1, 2, 3):
        with threads(count):
            found.append(made(x))
    assert (
        torch.equal(found[0], found[1]) and torch.equal(found[0], found[2]) and torch.equal(found[0][1:], made(x[1:]))
    )
    x[1, 4] = math.nan
    lost = made(x).isnan()
    assert not lost[0].any() and lost[1].all(dim=(1, 2)).tolist() == [False] + [True] * 4 + [False]


@needs_library
@pytest.mark.parametrize("shape", [(1, 3, 2, 9), (1, 4, 1, 9), (1, 4, 2, 4)])
def test_a_convolution_of_what_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    """A frame too few; a channel too few; bins too few, 4 and 2 padded, for 7."""
    made = native.Convolution(torch.zeros(3, 2, 7, 4), (1, 1), 1, rounded=False)
    with pytest.raises(ValueError, match=r"for a kernel \(channel, bin, frame\) of 2, 7, 4, 1 bins padded"):
        made(torch.zeros(shape))
    assert made(torch.zeros(1, 4, 2, 5)).shape == (1, 1, 3, 1)
