"""The divergence from a teacher, by hand."""

import math

import pytest
import torch

from prune_rnn.train.distil import Teacher


class Fixed(torch.nn.Module):
    """A network of two symbols that gives the first one a share, at every frame."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = torch.nn.Parameter(torch.tensor([share, 1 - share]))

    def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        assert not self.training and not torch.is_grad_enabled()
        return self.share.log().expand(3, 1, 2)


def student(share: float) -> torch.Tensor:
    return torch.tensor([share, 1 - share]).log().repeat(3, 1, 1).requires_grad_()


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_divergence_by_hand(temperature: float) -> None:
    """Teacher 0.8 and 0.2, student 0.5 and 0.5. At T = 2 the teacher's odds of 4 become 2: 2/3 and 1/3."""
    teacher = Teacher(Fixed(0.8), 0.5, temperature)  # type: ignore[arg-type]
    p = 0.8 if temperature == 1 else 2 / 3
    by_frame = p * math.log(p / 0.5) + (1 - p) * math.log((1 - p) / 0.5)
    log_probs = student(0.5)
    found = teacher.divergence(torch.zeros(1), torch.tensor([3]), log_probs)
    assert found.item() == pytest.approx(3 * temperature**2 * by_frame)
    found.backward()
    assert log_probs.grad is not None and teacher.model.share.grad is None
    assert teacher.divergence(torch.zeros(1), torch.tensor([3]), student(0.8)).item() == pytest.approx(0, abs=1e-6)
