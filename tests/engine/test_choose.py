"""The choice between all that can multiply."""

from pathlib import Path

import pytest
import torch

from prune_rnn.engine import choose, compiled, kept
from prune_rnn.engine.choose import fastest
from prune_rnn.engine.compiled import Format, Matrix
from prune_rnn.engine.quantise import Dtype, quantise, quantised_vectors
from prune_rnn.engine.torch import CsrMatrix, DenseMatrix


def pruned(rows: int, columns: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, columns, generator=generator) * (torch.rand(rows, columns, generator=generator) < 0.2)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "engine.json"
    monkeypatch.setattr(kept, "file", lambda: path)
    return path


@pytest.mark.parametrize(("first", "other", "dense"), [([1, 1, 9], [2, 2, 2], True), ([3, 3, 3], [9, 2, 2], False)])
def test_the_faster_one_where_nothing_disturbs_it_is_chosen(
    first: list[float], other: list[float], dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dense product is timed first."""
    monkeypatch.setattr(choose, "in_turn", lambda work, rounds, spent: [first] + [other] * (len(work) - 1))
    assert isinstance(fastest(quantise(pruned(16, 16), Dtype.float32)), DenseMatrix) is dense


def test_a_choice_that_other_work_disturbed_is_not_kept(monkeypatch: pytest.MonkeyPatch, nothing_kept: Path) -> None:
    """Where the fastest took 1.4 times its least in the median, it is kept; at 1.6 times, it isn't."""
    weight, median = quantise(pruned(16, 16), Dtype.float32), 1.6
    monkeypatch.setattr(choose, "in_turn", lambda work, *_: [[1, median, 9]] + [[2, 2, 2]] * (len(work) - 1))
    assert isinstance(fastest(weight), DenseMatrix)
    assert not nothing_kept.exists()
    median = 1.4
    fastest(weight)
    assert '"torch dense"' in nothing_kept.read_text()


@pytest.mark.skipif(not compiled.instruction_sets(), reason="the engine wasn't built")
def test_every_load_chooses_as_the_first_did(monkeypatch: pytest.MonkeyPatch, nothing_kept: Path) -> None:
    """Whatever the clock says; another mask, type or number of streams is another choice."""
    weight, timed, best = quantise(pruned(32, 16), Dtype.float32), [], 1

    def in_turn(work: list[object], rounds: int, spent: float) -> list[list[float]]:
        timed.append(len(work))
        return [[0.0 if place == best else 1.0] for place in range(len(work))]

    monkeypatch.setattr(choose, "in_turn", in_turn)
    formats = compiled.formats(Dtype.float32, compiled.instruction_sets()[0])
    first = fastest(weight)
    assert isinstance(first, Matrix) and first.format is Format.rows and timed == [1 + len(formats)]
    best = 2
    again = fastest(weight)
    assert isinstance(again, Matrix) and again.format is Format.rows and len(timed) == 1
    blocks = torch.zeros(32, 16)
    blocks[:, : int(weight.values.count_nonzero()) // 32] = 1.0
    for other in (quantise(pruned(32, 16), Dtype.int8), quantise(blocks, Dtype.float32)):
        found = fastest(other)
        assert isinstance(found, Matrix) and found.format is Format.blocks
    assert fastest(weight, streams=2).format is Format.blocks and len(timed) == 4  # type: ignore[attr-defined]
    nothing_kept.write_text(nothing_kept.read_text().replace('"rows"', '"columns"'))
    assert fastest(weight).format is Format.blocks and len(timed) == 5  # type: ignore[attr-defined]


@pytest.mark.skipif(not compiled.instruction_sets(), reason="the engine wasn't built")
def test_the_fastest_format_is_one_of_the_engine_and_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second way timed: among all, that is the engine's first format, as torch comes before."""
    monkeypatch.setattr(choose, "in_turn", lambda work, rounds, spent: [[1.0], [0.0], *[[1.0]] * (len(work) - 2)])
    weight = quantise(pruned(32, 16), Dtype.float32)
    assert choose.fastest_format(weight) is Format.blocks
    assert fastest(weight).format is Format.rows  # type: ignore[attr-defined]


def test_without_the_engine_torch_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "instruction_sets", lambda: [])
    assert "torch CSR, since the engine wasn't built" in choose.describe_backend()
    weight, x = quantise(pruned(30, 20), Dtype.int8), torch.randn(1, 20)
    chosen = fastest(weight)
    assert isinstance(chosen, CsrMatrix | DenseMatrix)
    torch.testing.assert_close(chosen.product(x), quantised_vectors(x, Dtype.int8) @ weight.float().t())
