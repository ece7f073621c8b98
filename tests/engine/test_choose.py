"""The choice between all that can multiply."""

import pytest
import torch

from prune_rnn.engine import choose, native
from prune_rnn.engine.choose import fastest
from prune_rnn.engine.quantise import Dtype, quantise, quantised_vectors
from prune_rnn.engine.torch import CsrMatrix, DenseMatrix


def pruned(rows: int, columns: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, columns, generator=generator) * (torch.rand(rows, columns, generator=generator) < 0.2)


@pytest.mark.parametrize(
    ("seconds", "dense"), [([[1, 9, 1], [2, 2, 2]], True), ([[3, 3, 3], [1, 9, 2]], False)], ids=str
)
def test_the_faster_one_in_the_median_is_chosen(
    seconds: list[list[float]], dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dense product is timed first."""
    monkeypatch.setattr(choose, "in_turn", lambda work, rounds, spent: seconds)
    assert isinstance(fastest(quantise(pruned(16, 16), Dtype.float32)), DenseMatrix) is dense


def test_without_the_engine_torch_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_library", lambda: None)
    assert "torch CSR, since the engine wasn't built" in choose.describe_backend()
    weight, x = quantise(pruned(30, 20), Dtype.int8), torch.randn(1, 20)
    chosen = fastest(weight)
    assert isinstance(chosen, CsrMatrix | DenseMatrix)
    torch.testing.assert_close(chosen.product(x), quantised_vectors(x, Dtype.int8) @ weight.float().t())
