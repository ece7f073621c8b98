"""A score has its weights' shape, and depends on nothing but its candidate."""

import torch
from torch import Tensor

from prune_rnn.prune.score import Candidate, magnitude, saliency, uniform


def candidate(value: Tensor, name: str = "a", seed: int = 0, gradient: Tensor | None = None) -> Candidate:
    return Candidate(
        name=name, value=value, mask=torch.ones_like(value, dtype=torch.bool), seed=seed, gradient=gradient
    )


def test_magnitude_knows_no_sign() -> None:
    assert magnitude(candidate(torch.tensor([[-2.0, 0.5]]))).tolist() == [[2.0, 0.5]]


def test_saliency_is_the_first_order_change_of_the_loss() -> None:
    """L = sum(a w^2): without w it changes by about w dL/dw = 2 a w^2."""
    weight, a = torch.tensor([[-2.0, 0.5]]), torch.tensor([[1.0, -8.0]])
    assert saliency(candidate(weight, gradient=2 * a * weight)).tolist() == [[8.0, 4.0]]


def test_random_scores_depend_on_seed_and_name_alone() -> None:
    weight = torch.randn(30, 40)
    scores = uniform(candidate(weight))
    assert scores.shape == weight.shape and 0 <= scores.min() < scores.max() < 1
    assert torch.equal(uniform(candidate(torch.zeros(30, 40))), scores)
    assert not torch.equal(uniform(candidate(weight, seed=1)), scores)
    assert not torch.equal(uniform(candidate(weight, name="b")), scores)
    assert len(scores.unique()) == scores.numel()


def test_random_scores_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    uniform(candidate(torch.zeros(3, 3)))
    assert torch.equal(torch.get_rng_state(), before)
