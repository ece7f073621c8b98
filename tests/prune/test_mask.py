"""What goes is counted exactly, and by magnitude."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from prune_rnn.prune.mask import magnitude_quantile, next_above, sparsity


def signed(count: int) -> Tensor:
    """1 to `count` in a shuffled order, every second one negative."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(count)) + 1.0
    return torch.where(order % 2 == 0, order, -order)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_next_above_is_of_the_type_and_no_number_lies_between(dtype: torch.dtype) -> None:
    one = torch.tensor(1.0, dtype=dtype)
    above = torch.tensor(next_above(1.0, dtype), dtype=dtype)
    assert above == 1 + torch.finfo(dtype).eps > one


def test_sparsity_counts_over_all_masks_together() -> None:
    masks = [torch.tensor([True, False]), torch.tensor([[True, True], [True, False], [True, True]])]
    assert sparsity(masks) == 0.25  # 2 of 8; a mean of the two would be 1/3
    assert sparsity([torch.ones(3, dtype=torch.bool)]) == 0
    assert sparsity([torch.zeros(3, dtype=torch.bool)]) == 1


@pytest.mark.parametrize(
    ("fraction", "count", "pruned"),
    [
        (0.2, 10, 2),
        (0.3, 10, 3),
        (0.9, 10, 9),
        (0.25, 10, 3),  # rounded up
        (0.07, 100, 7),  # 0.07 * 100 = 7.000000000000001
        (0.29, 100, 29),  # 0.29 * 100 = 28.999999999999996
        (0.57, 100, 57),
        (0.001, 10, 1),
        (0.999, 10, 10),
        (0.9, 1, 1),
    ],
)
def test_the_quantile_prunes_exact_counts(fraction: float, count: int, pruned: int) -> None:
    weight = signed(count)
    found = magnitude_quantile([weight], fraction)
    assert found == pruned
    assert int((weight.abs() <= found).sum()) == pruned


@given(st.integers(2, 400), st.data())
def test_asked_for_k_of_n_it_gives_the_kth(count: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, count - 1))
    assert magnitude_quantile([signed(count)], float(Fraction(k, count))) == k


def test_the_quantile_is_of_magnitudes_and_not_of_signed_values() -> None:
    """90 % of these signed values do not exceed 0.8; nine of the ten magnitudes do not exceed 9."""
    weight = torch.tensor([-10.0, -9.0, -8.0, -7.0, -6.0, -5.0, -4.0, 0.5, 0.8, 0.9])
    assert magnitude_quantile([weight], 0.9) == 9
    assert magnitude_quantile([-weight], 0.9) == 9


def test_the_quantile_pools_all_weights() -> None:
    small, large = torch.tensor([[1.0, -2.0], [3.0, 4.0]]), torch.tensor([-100.0, 200.0, 300.0, 400.0])
    assert magnitude_quantile([small, large], 0.5) == 4
    assert magnitude_quantile([large, small], 0.75) == 200


def test_the_quantile_of_a_parameter_needs_no_gradient() -> None:
    assert magnitude_quantile([torch.nn.Parameter(torch.tensor([1.0, 2.0]))], 0.5) == 1
