"""The convolutions of a packed network are those of torch in double precision, however few frames they are given."""

import pytest
import torch
import torch.nn.functional as F

from prune_rnn.deploy import convolution
from prune_rnn.deploy.convolution import Convolution, RowConvolution
from prune_rnn.model import native
from prune_rnn.model.recurrence import Activation

needs_library = pytest.mark.skipif(not native.instruction_sets(), reason="the native library isn't built")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("stride", [(2, 2), (2, 1)])
@pytest.mark.parametrize("frames", [5, 6, 9, 40])
@pytest.mark.parametrize("batch", [1, 5, 37])  # more than go into a product
def test_both_ways_are_the_convolution(
    batch: int, frames: int, stride: tuple[int, int], rounded: bool, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounding to bfloat16 costs up to 2^-9 of each factor and of the result."""
    monkeypatch.setattr(convolution, "fast_bfloat16", lambda: fast)
    x, weight = noise(batch, 3, 20, frames), noise(4, 3, 7, 5)
    wanted = F.conv2d(x.double(), weight.double(), None, stride, (3, 0)).float()
    made = Convolution(weight, stride, (3, 2), rounded)
    found = made(x)
    assert found.dtype is torch.float32 and made.outputs(frames) == found.shape[3] == (frames - 5) // stride[1] + 1
    spread = F.conv2d(x.abs(), weight.abs(), None, stride, (3, 0)).max().item()
    torch.testing.assert_close(found, wanted, atol=3 * 2**-9 * spread if rounded else 1e-5 * spread, rtol=0)
    assert torch.equal(found, found.bfloat16().float()) == rounded


def test_outputs_by_hand() -> None:
    """Kernels of 11 frames, 2 apart: 10 frames are too few, 11 give one, 12 no more, 13 two."""
    made = Convolution(noise(1, 1, 3, 11), (1, 2), (1, 5), rounded=False)
    assert [made.outputs(frames) for frames in (0, 10, 11, 12, 13)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("library", [pytest.param(True, marks=needs_library), False])
@pytest.mark.parametrize("frames", [1, 2, 3, 50])
def test_a_row_convolution_by_hand(frames: int, library: bool) -> None:
    """y_t = 2 x_t - x_(t+2) of one unit, 3 x_(t+1) of the other; tanh(y_t / 2 + 1) and tanh(-y_t)."""
    x, weight = noise(frames + 2, 2), torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    gain, shift = torch.tensor([0.5, -1.0]), torch.tensor([1.0, 0.0])
    with native.using(native.chosen() if library else None):
        found = RowConvolution(weight, gain, shift, Activation.tanh)(x)
    wanted = torch.stack([(x[:-2, 0] - x[2:, 0] / 2 + 1).tanh(), (-3 * x[1:-1, 1]).tanh()], 1)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)
