"""The convolutions of a packed network are those of torch in double precision, however few frames they are given."""

import pytest
import torch
import torch.nn.functional as F

from prune_rnn.deploy import convolution
from prune_rnn.deploy.convolution import Convolution, RowConvolution
from prune_rnn.model.recurrence import Activation
from prune_rnn.native.library import chosen, instruction_sets, using

needs_library = pytest.mark.skipif(not instruction_sets(), reason="the native library isn't built")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def convolution_of(weight: torch.Tensor, per_bin: int, stride: tuple[int, int], rounded: bool) -> Convolution:
    """Batch norm halves and adds 8, so that the clipped ReLU cuts little; 3 bins and 2 frames padded."""
    gain, shift = torch.full((per_bin,), 0.5), torch.full((per_bin,), 8.0)
    return Convolution(weight, gain, shift, Activation.clipped_relu, stride=stride, padding=(3, 2), rounded=rounded)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("stride", [(2, 2), (2, 1)])
@pytest.mark.parametrize("frames", [5, 6, 9, 40])
@pytest.mark.parametrize("channels", [4, 16])
@pytest.mark.parametrize("batch", [1, 5, 37])  # more than go into a product
def test_both_ways_are_the_convolution(
    batch: int,
    channels: int,
    frames: int,
    stride: tuple[int, int],
    rounded: bool,
    fast: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rounding to bfloat16 costs up to 2^-9 of each factor and of the result. The compiled one serves few channels
    and few frames, torch's all others."""
    monkeypatch.setattr(convolution, "fast_bfloat16", lambda: fast)
    x, weight = noise(batch, frames, 3, 20), noise(channels, 3, 7, 5) / 4
    seen = x.permute(0, 2, 3, 1)
    sums = F.conv2d(seen.double(), weight.double(), None, stride, (3, 0)).float().permute(0, 3, 1, 2)
    made = convolution_of(weight, channels * 10, stride, rounded)
    found = made(x)
    assert found.dtype is torch.float32 and made.outputs(frames) == found.shape[1] == (frames - 5) // stride[1] + 1
    spread = F.conv2d(seen.abs(), weight.abs(), None, stride, (3, 0)).max().item()
    wanted, atol = (sums / 2 + 8).clamp(0, 20), (3 * 2**-9 if rounded else 1e-5) * spread
    torch.testing.assert_close(found, wanted, atol=atol, rtol=0)


def test_outputs_by_hand() -> None:
    """Kernels of 11 frames, 2 apart: 10 frames are too few, 11 give one, 12 no more, 13 two."""
    made = convolution_of(noise(1, 1, 3, 11), 10, (1, 2), rounded=False)
    assert [made.outputs(frames) for frames in (0, 10, 11, 12, 13)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("library", [pytest.param(True, marks=needs_library), False])
@pytest.mark.parametrize("frames", [1, 2, 3, 50])
def test_a_row_convolution_by_hand(frames: int, library: bool) -> None:
    """y_t = 2 x_t - x_(t+2) of one unit, 3 x_(t+1) of the other; tanh(y_t / 2 + 1) and tanh(-y_t)."""
    x, weight = noise(frames + 2, 2), torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    gain, shift = torch.tensor([0.5, -1.0]), torch.tensor([1.0, 0.0])
    with using(chosen() if library else None):
        found = RowConvolution(weight, gain, shift, Activation.tanh)(x)
    wanted = torch.stack([(x[:-2, 0] - x[2:, 0] / 2 + 1).tanh(), (-3 * x[1:-1, 1]).tanh()], 1)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)
