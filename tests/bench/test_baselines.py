"""What the benchmark compares with computes what it says it does."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from prune_rnn.bench import baselines
from prune_rnn.bench.baselines import Baseline, layers, products, sparse_products
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

# Largest error over largest value; a wrong formula gives more. int8: torch has 127 steps for the states of all streams
# together, some at the clip and most small.
TOLERANCE = {"float32": 1e-5, "bfloat16": 0.02, "int8": 0.1}
STREAMS = pytest.mark.parametrize("streams", [1, 3])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def check(found: list[Baseline], wanted: Tensor) -> None:
    """Compares all that are exact, each of them run twice: the second run must not depend on the first."""
    for each in found:
        each.run()
        result = torch.as_tensor(each.run())
        if each.exact:
            assert result.shape == wanted.shape, each.name
            error = (result.double() - wanted).abs().max() / wanted.abs().max()
            assert error <= TOLERANCE[each.dtype], f"{each.name}: {error:.2g}"
            assert each.dtype == "float32" or error > 1e-4, f"{each.name} isn't rounded to {each.dtype}"
        else:
            assert "no inputs" in each.name
            assert result.numel() == wanted.numel(), each.name


def names(found: list[Baseline], library: str) -> set[str]:
    return {each.name for each in found if each.name.startswith(library)}


@pytest.fixture(params=["torch", "onnxruntime"])
def library(request: pytest.FixtureRequest) -> str:
    if request.param == "onnxruntime":
        pytest.importorskip("onnx", reason="onnx is in the extra `bench`")
        pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra `bench`")
    return request.param


@STREAMS
def test_products_agree_with_doubles(library: str, streams: int) -> None:
    weight, x = random(48, 40), random(streams, 40, seed=1)
    found = [each for each in products(weight, x, threads=2) if each.name.startswith(library)]
    assert {f"{library} float32", f"{library} int8"} <= names(found, library)
    assert all(each.dense and each.exact for each in found)
    check(found, x.double() @ weight.double().t())


@STREAMS
@pytest.mark.parametrize("name", ["torch", "scipy"])
def test_sparse_products_agree_with_doubles(name: str, streams: int) -> None:
    if name == "scipy":
        pytest.importorskip("scipy", reason="scipy is in the extra `bench`")
    weight, x = random(48, 40), random(streams, 40, seed=1)
    weight[random(48, 40, seed=2) < 1] = 0
    weight[5] = 0  # a row of nothing
    found = [each for each in sparse_products(weight, x, threads=2) if each.name == f"{name} CSR"]
    assert [each.dense for each in found] == [False]
    check(found, x.double() @ weight.double().t())


@STREAMS
@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("cell", [each.value for each in Cells])
def test_layers_agree_with_doubles(
    library: str, cell: Cell, activation: Activation, streams: int, reference: Callable[..., Tensor]
) -> None:
    units = 32
    weight, x = random(cell.gates * units, units) / units**0.5, random(7, streams, cell.gates * units, seed=1)
    if activation is Activation.clipped_relu:
        x[:3, :, -units:] *= 12  # the clip is met
    wanted = reference(cell, activation, weight, x)
    assert (activation is Activation.clipped_relu) == bool(wanted.max() > 15)
    ours = "prune_rnn" if library == "torch" else library
    found = [each for each in layers(cell, activation, weight, x, threads=2) if each.name.startswith((library, ours))]
    assert {f"{library} float32", f"{library} int8", f"{ours} float32"} <= {each.name for each in found}
    check(found, wanted)


def test_a_zero_matrix_gives_zeros() -> None:
    """Its int8 scale would be zero."""
    for each in products(torch.zeros(16, 16), random(1, 16), threads=1):
        assert not torch.as_tensor(each.run()).any(), each.name


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    assert baselines.missing() == ["onnx", "onnxruntime", "scipy"]
    assert set(baselines.versions()) == {"torch", "numpy"}
    weight, x = random(16, 16), random(2, 16, seed=1)
    found = [*products(weight, x, 1), *sparse_products(weight, x, 1)]
    found += layers(Cells.rnn.value, Activation.tanh, weight, random(2, 1, 16), 1)
    assert {each.name.split()[0].split(".")[0] for each in found} == {"torch", "prune_rnn"}
