"""Every training loop does what its cell's reference step says; for gradients see test_recurrence and test_loops."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation
from prune_rnn.model.states import states
from prune_rnn.native import library
from prune_rnn.native.library import InstructionSet

LOOPS = [
    pytest.param(None, id="torch"),
    *(
        pytest.param(
            each, id=each.name, marks=pytest.mark.skipif(each not in library.instruction_sets(), reason="not here")
        )
        for each in InstructionSet
    ),
]
each_cell = pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)


@pytest.mark.parametrize("loop", LOOPS)
@each_cell
@pytest.mark.parametrize("activation", Activation, ids=lambda each: each.name)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_states_are_the_reference_steps(
    loop: InstructionSet | None, cell: Cell, activation: Activation, reverse: bool, dtype: torch.dtype,
    reference: Callable[..., Tensor],
) -> None:  # fmt: skip
    units, lengths = 21, torch.tensor([9, 9, 6, 1])
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(cell.gates * units, units, generator=generator, dtype=dtype) / units**0.5
    x = torch.randn(9, 4, cell.gates * units, generator=generator, dtype=dtype)
    if activation is Activation.clipped_relu:
        x[..., -units:] *= 15
    packed = pack_padded_sequence(x, lengths)
    with library.using(loop):
        own = states(cell, packed.data, weight, packed.batch_sizes, activation, reverse)
    assert own.dtype is dtype
    found, _ = pad_packed_sequence(packed._replace(data=own))
    wanted = reference(cell, activation, weight, x, lengths=lengths, reverse=reverse)
    clipped = cell.follows_activation and activation is Activation.clipped_relu
    assert clipped == bool((wanted == 20).any() or wanted.max() > 15)
    torch.testing.assert_close(found.double(), wanted, rtol=2e-5, atol=2e-5)


@each_cell
def test_a_step_leaves_its_arguments_and_fills_what_it_is_given(cell: Cell) -> None:
    x, uh, state = (torch.randn(2, parts * 3) for parts in (cell.gates, cell.gates, cell.vectors))
    before = x.clone(), uh.clone(), state.clone()
    new, out = cell.step(x, uh, state, Activation.tanh), torch.zeros(2, cell.vectors * 3)
    assert cell.step(x, uh, state, Activation.tanh, out=out) is out and torch.equal(out, new)
    assert all(map(torch.equal, (x, uh, state), before))


@each_cell
def test_a_step_follows_the_models_activation_or_never_does(cell: Cell) -> None:
    x, state = torch.full((1, cell.gates), -1.0), torch.zeros(1, cell.vectors)
    one, other = (cell.step(x, torch.zeros_like(x), state, activation) for activation in Activation)
    assert torch.equal(one, other) is not cell.follows_activation


def test_an_lstm_step_by_hand() -> None:
    """sigmoid(log 3) = 3/4, tanh(log 2) = 3/5. i = 1/2, f = 3/4, g = 3/5, o = 3/4, and c before is 4/5:
    c = 3/4 * 4/5 + 1/2 * 3/5 = 9/10, h = 3/4 tanh(9/10). The product U h is half of each input.
    """
    inputs = torch.tensor([[0.0, math.log(3), math.log(2), math.log(3)]], dtype=torch.float64)
    state = torch.tensor([[7.0, 0.8]], dtype=torch.float64)  # h counts in U h alone
    found = Cells.lstm.value.step(inputs / 2, inputs / 2, state, Activation.clipped_relu)
    assert found.tolist() == [pytest.approx([0.75 * math.tanh(0.9), 0.9])]


@each_cell
def test_each_gate_has_a_bias(cell: Cell) -> None:
    assert len(cell.biases) == cell.gates


def test_the_configurations_word_is_the_cells_own_name() -> None:
    assert [each.name for each in Cells] == [each.value.name for each in Cells]
    assert len({each.value.kind for each in Cells}) == len(Cells)
