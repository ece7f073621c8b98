"""The convolution of few channels is torch's, with its gradients."""

import pytest
import torch
import torch.nn.functional as F

from prune_rnn.model.convolution import FEW, conv2d, row_convolution
from prune_rnn.native import library
from prune_rnn.native.library import InstructionSet

SETS = [None, *library.instruction_sets()]  # None: torch's operations


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("channels", [1, 2, FEW, FEW + 1])
@pytest.mark.parametrize(
    ("inputs", "bins", "frames", "kernel", "stride"),
    [
        (1, 161, 30, (41, 11), (2, 2)),  # the first convolution
        (3, 81, 13, (21, 11), (2, 1)),  # the second
        (2, 81, 1, (21, 11), (2, 1)),
        (1, 5, 4, (3, 1), (1, 1)),
        (2, 15, 7, (5, 3), (1, 3)),
        (1, 29, 6, (3, 5), (3, 2)),
        (2, 30, 20, (7, 5), (3, 1)),
        (2, 16, 9, (1, 1), (2, 1)),
    ],
)
def test_it_equals_torchs_with_its_gradients(
    channels: int,
    inputs: int,
    bins: int,
    frames: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    instruction_set: InstructionSet | None,
) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, inputs, bins, frames, requires_grad=True)
    weight = torch.randn(channels, inputs, *kernel, requires_grad=True)
    wanted = F.conv2d(x, weight, None, stride, (kernel[0] // 2, kernel[1] // 2))
    with library.using(instruction_set):
        found = conv2d(x, weight, stride)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    seed = torch.randn_like(wanted)
    for ours, theirs in zip(
        torch.autograd.grad(found, (x, weight), seed), torch.autograd.grad(wanted, (x, weight), seed), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_one_weight_moves_one_bin_to_another() -> None:
    """Bin 6 of frame 4 under the kernel's middle, stride 2: it arrives at bin 3 of frame 2, times the weight."""
    x, weight = torch.zeros(1, 1, 11, 9), torch.zeros(1, 1, 5, 3)
    x[0, 0, 6, 4], weight[0, 0, 2, 1] = 3.0, 2.0
    found = conv2d(x, weight, (2, 2))
    assert found.shape == (1, 1, 6, 5)
    assert found.nonzero().tolist() == [[0, 0, 3, 2]] and found[0, 0, 3, 2] == 6.0


@pytest.mark.parametrize("instruction_set", SETS[1:])
def test_threads_change_neither_it_nor_its_gradients(instruction_set: InstructionSet) -> None:
    x, weight = torch.randn(3, 2, 81, 40, requires_grad=True), torch.randn(3, 2, 21, 11, requires_grad=True)
    computed = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        with library.using(instruction_set):
            found = conv2d(x, weight, (2, 1))
        computed.append([found, *torch.autograd.grad(found, (x, weight), torch.ones_like(found))])
    for one, two, three in zip(*computed, strict=True):
        assert torch.equal(one, two) and torch.equal(one, three)


@pytest.mark.parametrize("instruction_set", SETS)
def test_under_autocast_products_are_of_bfloat16(instruction_set: InstructionSet | None) -> None:
    """(1 + 2^-9) x (1 + 2^-9): in bfloat16 both are 1."""
    x, weight = torch.full((1, 1, 1, 1), 1 + 2**-9), torch.full((1, 1, 1, 1), 1 + 2**-9)
    with library.using(instruction_set):
        assert conv2d(x, weight, (1, 1)).item() == pytest.approx((1 + 2**-9) ** 2)
        with torch.autocast("cpu", torch.bfloat16):
            assert conv2d(x, weight, (1, 1)).item() == 1


@pytest.mark.parametrize(
    ("batch", "units", "frames", "taps"), [(1, 1, 1, 1), (3, 5, 12, 4), (2, 7, 9, 9), (12, 16, 50, 40)]
)
def test_the_row_convolution_equals_torchs_with_its_gradients(batch: int, units: int, frames: int, taps: int) -> None:
    x = torch.randn(batch, units, frames, requires_grad=True)
    weight = torch.randn(units, 1, taps, requires_grad=True)
    wanted, found = F.conv1d(x, weight, groups=units), row_convolution(x, weight)
    assert torch.equal(found, wanted)
    seed = torch.randn_like(wanted)
    for ours, theirs in zip(
        torch.autograd.grad(found, (x, weight), seed), torch.autograd.grad(wanted, (x, weight), seed), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
