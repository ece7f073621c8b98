"""The C++ convolutions are what their formulas say, whatever computes them."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.model.conv import Convolution, RowConvolution, gradient_of_weight
from prune_rnn.model.recurrence import Activation
from prune_rnn.native import library
from prune_rnn.native.library import InstructionSet

BUILT = library.instruction_sets()
pytestmark = pytest.mark.skipif(not BUILT, reason="the native library isn't built")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


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
        with library.using(instruction_set):
            found = RowConvolution(weight, gain, shift, activation is Activation.tanh)(x)
        assert found.dtype is torch.float32
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=3e-5)


@pytest.mark.parametrize("instruction_set", BUILT)
def test_neither_threads_nor_more_frames_change_a_row_convolution(instruction_set: InstructionSet) -> None:
    """200 frames, 8 taps, 1000 units: enough for three threads. NaN reaches the 8 frames that see it, in its unit."""
    x, weight, gain, shift = random(207, 1000), random(8, 1000, seed=1), random(1000, seed=2), random(1000, seed=3)
    found = []
    with library.using(instruction_set):
        made = RowConvolution(weight, gain, shift, tanh=True)
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append(made(x))
    few = made(x[50:60])
    x[100, 500] = math.nan
    lost = made(x).isnan()
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2]) and torch.equal(found[0][50:53], few)
    assert lost.sum() == 8 and lost[93:101, 500].all()


def test_a_row_convolution_of_what_does_not_fit_is_refused() -> None:
    """7 taps of 4 units: 6 frames give none, 5 are too few."""
    weight, per_unit = torch.zeros(7, 4), torch.zeros(4)
    made = RowConvolution(weight, per_unit, per_unit, tanh=False)
    assert made(torch.zeros(6, 4)).shape == (0, 4)
    for frames, units in ((5, 4), (9, 3)):
        with pytest.raises(ValueError, match=f"{frames} frames of {units} units for 7 taps of 4"):
            made(torch.zeros(frames, units))
    with pytest.raises(ValueError, match=r"gain \(4,\) and shift \(1,\) for 4 units"):
        RowConvolution(weight, per_unit, torch.zeros(1), tanh=False)
    with pytest.raises(ValueError, match=r"takes float32 on the CPU, not torch.float64 on cpu"):
        made(torch.zeros(9, 4).double())


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(("stride", "padding"), [((2, 1), 3), ((2, 2), 2), ((1, 1), 0), ((3, 2), 1)])
@pytest.mark.parametrize(("batch", "frames"), [(1, 4), (1, 9), (3, 5)])
@pytest.mark.parametrize(("channels", "bins"), [((1, 4), 161), ((3, 5), 20), ((2, 1), 7)])
def test_a_convolution_is_torchs_in_double_precision(
    channels: tuple[int, int],
    bins: int,
    batch: int,
    frames: int,
    stride: tuple[int, int],
    padding: int,
    rounded: bool,
    activation: Activation,
) -> None:
    """Rounding to bfloat16 costs what is convolved up to 2^-9; on which side of a tie it falls may differ."""
    x, weight = random(batch, frames, channels[0], bins), random(channels[1], channels[0], 7, 4, seed=1)
    kept = [each.bfloat16().double() if rounded else each.double() for each in (x.permute(0, 2, 3, 1), weight)]
    sums = F.conv2d(*kept, None, stride, (padding, 0)).permute(0, 3, 1, 2)
    gain, shift = random(sums[0, 0].numel(), seed=2), random(sums[0, 0].numel(), seed=3)
    per_bin = [each.double().view(sums.shape[2:]) for each in (gain, shift)]
    wanted = activation(per_bin[0] * sums + per_bin[1])
    bound = per_bin[0].abs() * ((2**-8 if rounded else 1e-5) * sums.abs() + 3e-5) + 1e-5
    for instruction_set in BUILT:
        with library.using(instruction_set):
            tanh = activation is Activation.tanh
            made = Convolution(weight, gain, shift, tanh=tanh, stride=stride, padding=padding, rounded=rounded)
        found = made(x)
        assert found.dtype is torch.float32 and found.shape == wanted.shape
        assert bool(((found - wanted).abs() <= bound).all())


@pytest.mark.parametrize("instruction_set", BUILT)
@pytest.mark.parametrize("rounded", [False, True])
def test_a_convolution_by_hand(rounded: bool, instruction_set: InstructionSet) -> None:
    """1 x 3 + (1 + 2^-8) x 5 of two channels is 8 + 5/256: rounded, 1 + 2^-8 is 1 (a tie goes to even). Of it a
    quarter and one: 3. Three channels take two pairs."""
    weight = torch.tensor([1.0, 1 + 2**-8, 0.0]).view(1, 3, 1, 1)
    with library.using(instruction_set):
        gain, shift = torch.tensor([0.25]), torch.tensor([1.0])
        made = Convolution(weight, gain, shift, tanh=False, stride=(1, 1), padding=0, rounded=rounded)
    found = made(torch.tensor([3.0, 5.0, 7.0]).view(1, 1, 3, 1))
    assert found.tolist() == [[[[3.0 if rounded else 3 + 5 / 1024]]]]


@pytest.mark.parametrize("instruction_set", BUILT)
def test_neither_threads_nor_the_batch_change_a_convolution(instruction_set: InstructionSet) -> None:
    """NaN stays NaN, rounded too, in the 4 frames that see it, in its utterance."""
    x, weight = random(2, 9, 8, 60), random(6, 8, 21, 4, seed=1)
    gain, shift = random(6 * 30, seed=2), random(6 * 30, seed=3)
    with library.using(instruction_set):
        made = Convolution(weight, gain, shift, tanh=True, stride=(2, 1), padding=10, rounded=True)
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append(made(x))
    assert (
        torch.equal(found[0], found[1]) and torch.equal(found[0], found[2]) and torch.equal(found[0][1:], made(x[1:]))
    )
    x[1, 4] = math.nan
    lost = made(x).isnan()
    assert not lost[0].any() and lost[1].all(dim=(1, 2)).tolist() == [False] + [True] * 4 + [False]


@pytest.mark.parametrize("shape", [(1, 3, 2, 9), (1, 4, 1, 9), (1, 4, 2, 4), (1, 4, 2, 10)])
def test_a_convolution_of_what_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    """A frame too few; a channel too few; bins too few, 4 and 2 padded, for 7; 6 bins out where batch norm has 5."""
    weight, per_bin = torch.zeros(3, 2, 7, 4), torch.zeros(15)
    options = {"tanh": False, "stride": (1, 1), "padding": 1, "rounded": False}
    made = Convolution(weight, per_bin, per_bin, **options)
    with pytest.raises(ValueError, match=rf"x of shape {re.escape(str(shape))} "):
        made(torch.zeros(shape))
    assert made(torch.zeros(1, 4, 2, 9)).shape == (1, 1, 3, 5)
    with pytest.raises(ValueError, match=r"gain \(16,\) and shift \(16,\) for 3 channels"):
        Convolution(weight, torch.zeros(16), torch.zeros(16), **options)


def test_a_gradient_of_another_shape_is_refused() -> None:
    """Of 9 frames and 7 + 2 bins, a kernel of 7 bins and 4 frames leaves 6 and 3."""
    with pytest.raises(ValueError, match=r"gradient \(1, 6, 3, 4\) of a convolution of shape \(1, 6, 3, 3\)"):
        gradient_of_weight(torch.zeros(1, 9, 2, 7), torch.zeros(1, 6, 3, 4), (3, 2, 7, 4), (1, 1), 1, BUILT[0])
