"""The C++ time loops do what torch's operations do."""

import math
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from torch import Tensor

from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation
from prune_rnn.model.states import states
from prune_rnn.native import library
from prune_rnn.native.library import InstructionSet

CELLS = {each.name: (partial(states, each.value), each.value.gates) for each in Cells}
BUILT = library.instruction_sets()
needs_library = pytest.mark.skipif(not BUILT, reason="the native library isn't built")
each_cell = pytest.mark.parametrize("cell", CELLS)
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
@each_cell
def test_it_agrees_with_torch(
    cell: str, activation: Activation, units: int, reverse: bool, batch_sizes: list[int]
) -> None:
    x, weight = inputs(cell, units, batch_sizes, activation)
    with library.using(None), threads(1):
        wanted = run(cell, x, weight, batch_sizes, activation, reverse)
    if activation is Activation.clipped_relu and Cells[cell].value.follows_activation and units > 1:
        assert (wanted[0] == 0).any()
        assert cell == "gru" or (wanted[0] == 20).any()
    for instruction_set in BUILT:
        with library.using(instruction_set), threads(1):
            found = run(cell, x, weight, batch_sizes, activation, reverse)
        for a, b in zip(found, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-6 * b.abs().max().item())


@needs_library
@pytest.mark.parametrize("instruction_set", BUILT)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@each_cell
def test_threads_change_no_bit(cell: str, reverse: bool, instruction_set: InstructionSet) -> None:
    """Nor does the batch: an utterance's states are the same alone."""
    sizes = [*UNEVEN, *[1] * 40]
    x, weight = inputs(cell, 80, sizes, Activation.tanh)
    found = []
    with library.using(instruction_set):
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
    with library.using(instruction_set):
        tanh = states(Cells.rnn.value, x[:, None], none, sizes, Activation.tanh)[:, 0]
        gates = torch.stack([x, torch.zeros_like(x), torch.ones_like(x)], dim=1)
        sigmoid = states(Cells.gru.value, gates, none.expand(3, 1), sizes, Activation.clipped_relu)[:, 0]
    torch.testing.assert_close(tanh.double(), x.double().tanh(), rtol=3e-7, atol=0)
    torch.testing.assert_close(sigmoid.double(), x.double().sigmoid(), rtol=3e-7, atol=0)


@needs_library
@pytest.mark.parametrize("activation", Activation)
@each_cell
def test_nan_stays_in_its_utterance_and_is_seen(cell: str, activation: Activation) -> None:
    x, weight = inputs(cell, 20, [3, 3, 3], activation)
    x[4] = math.nan
    for instruction_set in BUILT:
        with library.using(instruction_set):
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
        found = states(Cells.rnn.value, x, none, torch.full((100,), 12), Activation.clipped_relu)
        assert flushes() is wanted
    assert (found == 0).all().item() is wanted
    assert wanted or torch.equal(found, x)


@needs_library
@each_cell
def test_what_it_serves(cell: str) -> None:
    """float32 on the CPU, laid out as it may be; a context takes torch's operations, backward as forward."""
    function, gates = CELLS[cell]
    sizes, x, weight = torch.tensor([2, 1]), random(3, gates * 4), random(gates * 4, 4)

    def name(x: Tensor, weight: Tensor) -> str:
        node = function(x.requires_grad_(), weight, sizes, Activation.tanh).grad_fn
        return type(node).__name__.removesuffix("Backward")

    assert name(x, weight) == "_Layer"
    assert name(x.double(), weight.double()) == "_Loop"
    with library.using(None):
        assert library.chosen() is None
        assert name(x, weight) == "_Loop"
    assert library.chosen() is BUILT[0]
    scattered = [each.detach().t().contiguous().t() for each in (x, weight)]
    arguments = [2, 1], Activation.tanh
    assert all(map(torch.equal, run(cell, *scattered, *arguments), run(cell, x.detach(), weight, *arguments)))


@needs_library
@each_cell
@pytest.mark.parametrize("sizes", [[1, 2], [2, 2], [2], [3, 0], []], ids=str)
def test_sizes_that_do_not_fit_are_refused(cell: str, sizes: list[int]) -> None:
    function, gates = CELLS[cell]
    with pytest.raises(ValueError, match="never grow, and add up"):
        function(random(3, gates), random(gates, 1), torch.tensor(sizes, dtype=torch.int64), Activation.tanh)


@each_cell
def test_shapes_that_do_not_fit_are_torchs_to_refuse(cell: str) -> None:
    function, gates = CELLS[cell]
    with pytest.raises(RuntimeError):
        function(random(3, gates * 4 + 1), random(gates * 4, 4), torch.tensor([2, 1]), Activation.tanh)


def test_an_instruction_set_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "instruction_sets", lambda: [])
    assert library.chosen() is None
    with pytest.raises(ValueError, match="can't run on avx2"), library.using(InstructionSet.avx2):
        pass


@each_cell
def test_without_the_library_torch_serves(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = inputs(cell, 5, [2, 1], Activation.tanh)
    wanted = run(cell, x.double(), weight.double(), [2, 1], Activation.tanh)
    monkeypatch.setattr(library, "instruction_sets", lambda: [])
    for a, b in zip(run(cell, x, weight, [2, 1], Activation.tanh), wanted, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-6)
