"""The contract of every opponent in the one list: the job's result, to the rounding of its type."""

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor

from prune_rnn.bench import opponents
from prune_rnn.bench.opponents import OPPONENTS, Baseline, Opponent, base
from prune_rnn.cuda import home
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

# Largest error over largest value; a wrong formula gives more. int8: torch has 127 steps for the states of all streams
# together, some at the clip and most small.
TOLERANCE = {Dtype.float32: 1e-5, Dtype.bfloat16: 0.02, Dtype.int8: 0.1}
STREAMS = pytest.mark.parametrize("streams", [1, 3])


@pytest.fixture(params=OPPONENTS, ids=lambda each: type(each).__name__)
def opponent(request: pytest.FixtureRequest) -> Opponent:
    found: Opponent = request.param
    if found.missing():
        pytest.skip(f"not installed: {', '.join(found.missing())}")
    if found.device == "cuda" and home() == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return found


def check(found: Iterable[Baseline], wanted: Tensor) -> None:
    """Runs each of them twice: the second run must not depend on the first."""
    for each in found:
        each.run()
        result = torch.as_tensor(each.run()).cpu()
        assert result.numel() == wanted.numel(), each.name
        if each.exact or (each.dtype is not Dtype.float32 and "no inputs" not in each.name):
            assert result.shape == wanted.shape, each.name
            error = (result.double() - wanted).abs().max() / wanted.abs().max()
            assert error <= TOLERANCE[each.dtype], f"{each.name}: {error:.2g}"
            if each.dtype is not Dtype.float32 and each.type_name == each.dtype.value:
                assert error > 1e-4, f"{each.name} isn't rounded to {each.dtype.value}"
        else:
            assert "no inputs" in each.name


@STREAMS
def test_products_agree_with_doubles(opponent: Opponent, streams: int, product: Callable, reference: Callable) -> None:
    job = product(streams)
    check(opponent.products(job), reference(job))


@STREAMS
def test_sparse_products_agree_with_doubles(
    opponent: Opponent, streams: int, product: Callable, reference: Callable
) -> None:
    job = product(streams, sparse=True)
    check(opponent.sparse_products(job), reference(job))


@STREAMS
@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
def test_layers_agree_with_doubles(
    opponent: Opponent, cell: Cell, activation: Activation, streams: int, layer: Callable, reference: Callable
) -> None:
    job = layer(cell, activation, streams)
    wanted = reference(job)
    clipped = cell.follows_activation and activation is Activation.clipped_relu
    assert clipped == bool(wanted.max() > 15)  # the clip is met
    check(opponent.layers(job), wanted)


def test_an_opponent_computes_something(opponent: Opponent, product: Callable, layer: Callable) -> None:
    jobs = product(2), layer(Cells.rnn.value, Activation.tanh, 2)
    found = [*opponent.products(jobs[0]), *opponent.sparse_products(jobs[0]), *opponent.layers(jobs[1])]
    assert found and opponent.versions().keys() == set(opponent.packages)


def test_names_of_one_job_differ(product: Callable, layer: Callable) -> None:
    """The table tells them apart by their names."""
    for job in (product(1), layer(Cells.gru.value, Activation.clipped_relu, 1)):
        names = [each.name for library in opponents.installed("cpu") for each in library.dense(job)]
        assert len(names) == len(set(names))


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"onnx", "scipy", "triton"}
    monkeypatch.setattr(base, "find_spec", lambda name: None if name in absent else name)
    monkeypatch.setattr(base.metadata, "version", lambda name: "1")
    assert [type(each).__name__ for each in opponents.installed("cpu")] == ["Torch"]
    assert opponents.installed("cuda") == [] and opponents.missing("cuda") == ["triton"]
    assert opponents.missing("cpu") == ["onnx", "scipy"]
    assert opponents.versions("cpu").keys() == {"torch", "numpy", "onnxruntime"}
