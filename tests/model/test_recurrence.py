"""The time loops agree with torch's own, forward and backward, and their gradients with differences."""

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation
from prune_rnn.model.states import states

LENGTHS = [5, 7, 1, 5]  # unsorted, with a pair alike
UNITS = 3
CELLS = {each.name: (partial(states, each.value), each.value.gates) for each in Cells}
rnn, gru, lstm = (CELLS[name][0] for name in ("rnn", "gru", "lstm"))
CLIPPED = [each.name for each in Cells if each.value.follows_activation]
DIRECTIONS = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def packed(width: int, scale: float = 1.0) -> PackedSequence:
    return pack_padded_sequence(scale * random(7, 4, width), torch.tensor(LENGTHS), enforce_sorted=False)


def theirs(kind: type[nn.RNNBase], x: PackedSequence, into: Tensor, weight: Tensor, reverse: bool, **options: Any):
    """Returns torch's outputs, packed data, and the gradients of input and recurrent weights under sum(outputs * g)."""
    module = kind(x.data.shape[1], UNITS, bias=False, bidirectional=reverse, dtype=torch.float64, **options)
    suffix = "l0_reverse" if reverse else "l0"
    with torch.no_grad():
        getattr(module, f"weight_ih_{suffix}").copy_(into)
        getattr(module, f"weight_hh_{suffix}").copy_(weight)
    data = x.data.clone().requires_grad_()
    found = module(x._replace(data=data))[0].data[:, -UNITS:]
    (found * random(len(data), UNITS, seed=9)).sum().backward()
    return found.detach(), data.grad, getattr(module, f"weight_hh_{suffix}").grad


def ours(cell: Any, x: PackedSequence, weight: Tensor, activation: Activation, reverse: bool):
    data, weight = x.data.clone().requires_grad_(), weight.clone().requires_grad_()
    found = cell(data, weight, x.batch_sizes, activation, reverse)
    (found * random(len(data), UNITS, seed=9)).sum().backward()
    return found.detach(), data.grad, weight.grad


@DIRECTIONS
def test_gru_agrees_with_torch(reverse: bool) -> None:
    """torch's gates are r, z, n with z the share of the old state: the negative of ours before the sigmoid."""
    x, weight = packed(3 * UNITS), random(3 * UNITS, UNITS, seed=1)
    z, r, c = weight.split(UNITS)
    eye, none = torch.eye(UNITS, dtype=torch.float64), torch.zeros(UNITS, UNITS, dtype=torch.float64)
    into = torch.cat([torch.cat(row, 1) for row in ((none, eye, none), (-eye, none, none), (none, none, eye))])
    wanted, grad_x, grad_weight = theirs(nn.GRU, x, into, torch.cat([r, -z, c]), reverse)
    grad_r, grad_z, grad_c = grad_weight.split(UNITS)
    found = ours(gru, x, weight, Activation.tanh, reverse)
    torch.testing.assert_close(found, (wanted, grad_x, torch.cat([-grad_z, grad_r, grad_c])))


@DIRECTIONS
def test_lstm_agrees_with_torch(reverse: bool) -> None:
    """torch's gates have the same order."""
    x, weight = packed(4 * UNITS), random(4 * UNITS, UNITS, seed=1)
    wanted = theirs(nn.LSTM, x, torch.eye(4 * UNITS, dtype=torch.float64), weight, reverse)
    torch.testing.assert_close(ours(lstm, x, weight, Activation.tanh, reverse), wanted)


@DIRECTIONS
@pytest.mark.parametrize("activation", Activation)
def test_rnn_agrees_with_torch(activation: Activation, reverse: bool) -> None:
    x, weight = packed(UNITS), 0.5 * random(UNITS, UNITS, seed=1)
    name = "tanh" if activation is Activation.tanh else "relu"
    eye = torch.eye(UNITS, dtype=torch.float64)
    wanted = theirs(nn.RNN, x, eye, weight, reverse, nonlinearity=name)
    assert 1e-9 < wanted[0].abs().max() < 20  # where torch's ReLU and the clipped one are the same
    torch.testing.assert_close(ours(rnn, x, weight, activation, reverse), wanted)


@DIRECTIONS
@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch_sizes", [[4, 4, 2, 1, 1], [2], [1, 1, 1], [3, 1]], ids=str)
def test_gradients_agree_with_differences(
    cell: str, activation: Activation, batch_sizes: list[int], reverse: bool
) -> None:
    run, gates = CELLS[cell]
    x = random(sum(batch_sizes), gates * UNITS, seed=2)
    if activation is Activation.clipped_relu:
        x[:, -UNITS:] *= 30  # the input of f: some beyond 20, some under 0
    x.requires_grad_()
    weight = random(gates * UNITS, UNITS, seed=3).requires_grad_()
    sizes = torch.tensor(batch_sizes)
    assert torch.autograd.gradcheck(lambda x, w: run(x, w, sizes, activation, reverse), (x, weight))


@pytest.mark.parametrize("cell", CLIPPED)
def test_the_clipped_gradient_check_meets_both_corners(cell: str) -> None:
    run, gates = CELLS[cell]
    x = random(12, gates * UNITS, seed=2)
    x[:, -UNITS:] *= 30
    x[:, :-UNITS] += 40  # z and r are 1: the state is the candidate
    found = run(x, torch.zeros(gates * UNITS, UNITS, dtype=torch.float64), torch.tensor([12]), Activation.clipped_relu)
    assert (found == 0).any()
    assert (found == 20).any()


@DIRECTIONS
@pytest.mark.parametrize("cell", CELLS)
def test_an_utterance_does_not_depend_on_its_batch(cell: str, reverse: bool) -> None:
    run, gates = CELLS[cell]
    padded, weight = random(7, 4, gates * UNITS), random(gates * UNITS, UNITS, seed=1)
    x = pack_padded_sequence(padded, torch.tensor(LENGTHS), enforce_sorted=False)
    together = x._replace(data=run(x.data, weight, x.batch_sizes, Activation.clipped_relu, reverse))
    unpacked, _ = nn.utils.rnn.pad_packed_sequence(together)
    for i, length in enumerate(LENGTHS):
        alone = run(padded[:length, i], weight, torch.ones(length).long(), Activation.clipped_relu, reverse)
        torch.testing.assert_close(unpacked[:length, i], alone)


@pytest.mark.parametrize("cell", CELLS)
def test_reverse_is_the_forward_loop_on_the_utterance_turned_round(cell: str) -> None:
    run, gates = CELLS[cell]
    x, weight, ones = random(6, gates * UNITS), random(gates * UNITS, UNITS, seed=1), torch.ones(6).long()
    found = run(x, weight, ones, Activation.tanh, True)
    torch.testing.assert_close(found, run(x.flip(0), weight, ones, Activation.tanh).flip(0))


def test_one_unit_rnn_by_hand() -> None:
    """h = clip(x + h / 2): 25 -> 20; -15 + 10 -> 0; 3; 19 + 1.5 -> 20."""
    x = torch.tensor([[25.0], [-15.0], [3.0], [19.0]], requires_grad=True)
    weight = torch.tensor([[0.5]], requires_grad=True)
    found = rnn(x, weight, torch.ones(4).long(), Activation.clipped_relu)
    assert found.flatten().tolist() == [20, 0, 3, 20]
    found.sum().backward()
    assert x.grad is not None
    assert weight.grad is not None
    assert x.grad.flatten().tolist() == [0, 0, 1, 0]  # no gradient passes a corner
    assert weight.grad.item() == 0  # the state before the only open step is 0


def test_one_unit_rnn_in_reverse_by_hand() -> None:
    """From the end: 19; 3 + 9.5 = 12.5; -15 + 6.25 -> 0; 25 -> 20."""
    x = torch.tensor([[25.0], [-15.0], [3.0], [19.0]], requires_grad=True)
    weight = torch.tensor([[0.5]], requires_grad=True)
    found = rnn(x, weight, torch.ones(4).long(), Activation.clipped_relu, reverse=True)
    assert found.flatten().tolist() == [20, 0, 12.5, 19]
    found.sum().backward()
    assert x.grad is not None
    assert weight.grad is not None
    assert x.grad.flatten().tolist() == [0, 0, 1, 1.5]
    assert weight.grad.item() == 19


def test_one_unit_gru_by_hand() -> None:
    """U_z = log 3 / 10, U_r = -log 3 / 10, U_c = 1/2. From h = 0:
    1. z = r = 1/2, c = clip(30) = 20, so h = 10.
    2. U_z h = log 3, z = 3/4; U_r h = -log 3, r = 1/4; c = 2.75 + 1/4 * 5 = 4, so h = 10/4 + 3/4 * 4 = 5.5.
    3. x_z and x_r undo U h: z = r = 1/2; c = clip(-10 + 1/2 * 2.75) = 0, so h = 2.75.
    4. The same, z = r = 1/2 once more; c = 19.5 + 1/2 * 1.375 = 20.1875 -> 20, so h = 1.375 + 10 = 11.375.
    """
    log3 = math.log(3)
    x = torch.tensor(
        [[0, 0, 30], [0, 0, 2.75], [-0.55 * log3, 0.55 * log3, -10], [-0.275 * log3, 0.275 * log3, 19.5]],
        dtype=torch.float64,
        requires_grad=True,
    )
    weight = torch.tensor([[log3 / 10], [-log3 / 10], [0.5]], dtype=torch.float64)
    found = gru(x, weight, torch.ones(4).long(), Activation.clipped_relu)
    assert found.flatten().tolist() == pytest.approx([10, 5.5, 2.75, 11.375])
    (grad,) = torch.autograd.grad(found[-1, 0], x)
    # the last step: its candidate is clipped; dh/dz = c - h = 17.25, times z (1 - z) = 1/4
    assert grad[3].tolist() == pytest.approx([17.25 / 4, 0, 0])
    assert grad[[0, 2], 2].tolist() == [0, 0]  # clipped above, clipped below
    assert grad[1, 2] != 0


@pytest.mark.parametrize("cell", CELLS)
def test_the_inputs_stay_as_they_are(cell: str) -> None:
    run, gates = CELLS[cell]
    x, weight = packed(gates * UNITS), random(gates * UNITS, UNITS, seed=1)
    before = x.data.clone(), weight.clone(), x.batch_sizes.clone()
    ours(run, x, weight, Activation.clipped_relu, False)
    run(x.data, weight, x.batch_sizes, Activation.tanh)
    assert all(torch.equal(a, b) for a, b in zip((x.data, weight, x.batch_sizes), before, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_a_second_derivative_is_refused(cell: str) -> None:
    run, gates = CELLS[cell]
    x = random(3, gates * UNITS).requires_grad_()
    found = run(x, random(gates * UNITS, UNITS), torch.ones(3).long(), Activation.tanh)
    (grad,) = torch.autograd.grad(found.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


@pytest.mark.parametrize(
    ("activation", "x", "y", "slope"),
    [
        (Activation.clipped_relu, [-1.0, 0.0, 0.5, 19.5, 20.0, 21.0], [0, 0, 0.5, 19.5, 20, 20], [0, 0, 1, 1, 0, 0]),
        (Activation.tanh, [0.0, math.log(2)], [0, 0.6], [1, 0.64]),  # tanh(log 2) = (2 - 1/2) / (2 + 1/2)
    ],
)
def test_activations_by_hand(activation: Activation, x: list[float], y: list[float], slope: list[float]) -> None:
    given = torch.tensor(x, dtype=torch.float64)
    found = activation(given)
    assert found.tolist() == pytest.approx(y)
    assert activation.slope(found).tolist() == pytest.approx(slope)
    assert given.tolist() == x
    assert activation.apply_(given) is given
    assert torch.equal(given, found)
