"""What multiplies without the engine, and the choice between all that can."""

import pytest
import torch

from prune_rnn.engine import choose, native
from prune_rnn.engine.choose import CsrMatrix, DenseMatrix, fastest
from prune_rnn.engine.quantise import Dtype, quantise, quantised_vectors
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation, gru, rnn

each_class = pytest.mark.parametrize("made_by", [CsrMatrix, DenseMatrix])


def pruned(rows: int, columns: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, columns, generator=generator) * (torch.rand(rows, columns, generator=generator) < 0.2)


@each_class
@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("streams", [1, 5])
def test_products_agree(made_by: type[CsrMatrix], dtype: Dtype, streams: int) -> None:
    weight, x = quantise(pruned(30, 20), dtype), torch.randn(streams, 20)
    wanted = quantised_vectors(x, dtype) @ weight.float().t()
    torch.testing.assert_close(made_by(weight).product(x), wanted)


@each_class
@pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
@pytest.mark.parametrize("reverse", [False, True])
def test_layers_agree_with_the_trained_ones(made_by: type[CsrMatrix], cell: Cell, reverse: bool) -> None:
    """`model.recurrence` runs what was trained; utterances of 4 and 2 steps, packed there, side by side here."""
    weight, x = pruned(cell.gates * 8, 8), torch.randn(4, 2, cell.gates * 8)
    run = gru if cell is Cells.gru.value else rnn
    packed = torch.cat([x[0], x[1], x[2, :1], x[3, :1]])
    wanted = run(packed, weight, torch.tensor([2, 2, 1, 1]), Activation.tanh, reverse)
    made = made_by(quantise(weight, Dtype.float32), gates=cell.gates)
    found, last = made.layer(cell, Activation.tanh, x, lengths=torch.tensor([4, 2]), reverse=reverse)
    torch.testing.assert_close(torch.cat([found[0], found[1], found[2, :1], found[3, :1]]), wanted)
    assert found[2:, 1].count_nonzero() == 0 and torch.equal(last, found[0 if reverse else -1])


def test_the_faster_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timed by calls that are slow on purpose."""
    weight = quantise(pruned(16, 16), Dtype.float32)
    slow, spent = DenseMatrix.product, [0]

    def waste(self: DenseMatrix, x: torch.Tensor) -> torch.Tensor:
        spent[0] += 1
        for _ in range(500):
            slow(self, x)
        return slow(self, x)

    monkeypatch.setattr(DenseMatrix, "product", waste)
    assert not isinstance(fastest(weight), DenseMatrix) and spent[0] > 0


def test_without_the_engine_torch_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_library", lambda: None)
    choose.note.cache_clear()
    assert "torch CSR, since the engine wasn't built" in choose.note()
    choose.note.cache_clear()
    weight, x = quantise(pruned(30, 20), Dtype.int8), torch.randn(1, 20)
    chosen = fastest(weight)
    assert isinstance(chosen, CsrMatrix | DenseMatrix)
    torch.testing.assert_close(chosen.product(x), quantised_vectors(x, Dtype.int8) @ weight.float().t())
