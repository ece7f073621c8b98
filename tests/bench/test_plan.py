"""The options of `prune-rnn bench`, and the shapes that they name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn.bench.candidate import Candidate, Measurement
from prune_rnn.bench.plan import BenchOptions, layout, plan
from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.cells import Cells


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"workloads": ["layr"]}, "workloads: 'layr': did you mean 'layer'?"),
        ({"shapes": ["gru_256"]}, "shapes: 'gru_256': did you mean 'gru_2560'?"),
        ({"streams": []}, r"streams=\[\]: give one or more"),
        ({"streams": [0]}, "streams=0: must be 1 or more"),
        ({"sparsity": [95.0]}, r"sparsity=\[95.0\]: each must be a fraction"),
        ({"rounds": 0}, "rounds=0: must be 1 or more"),
        ({"threads": 0}, "threads=0: must be 1 or more"),
        ({"seconds": -1.0}, "seconds=-1.0: must lie between 0 and 60"),
        ({"device": "tpu"}, "device=tpu: must be cpu or cuda"),
    ],
)
def test_a_wrong_option_is_named(changed: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BenchOptions(**changed).check()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_asked_for_in_vain() -> None:
    with pytest.raises(ValueError, match="torch finds no CUDA device"):
        BenchOptions(device="cuda").check()


def test_the_papers_shapes_are_there(tmp_path: Path) -> None:
    planned = plan(BenchOptions(results=str(tmp_path)))
    shapes = {shape.name: shape for shape in planned.shapes}
    rows = {name: (shape.rows, shape.units) for name, shape in shapes.items()}
    assert rows["gru_2560"] == (7680, 2560) and rows["gru_3584"] == (10752, 3584)  # DeepBench's
    assert {shape.units for shape in shapes.values() if shape.cell is Cells.rnn.value} == {1760, 2560, 3072}
    assert {planned.baselines[name] for name in ("gru_2560", "gru_3568")} == {"gru_2560"}
    assert planned.paper["rnn_3072"]["speedup"] == 1.16
    assert [network.name for network in planned.networks] == ["network_rnn_1760", "network_gru_2560"]
    assert all(entry["baseline"] in shapes for entry in layout()["shapes"])
    one = plan(BenchOptions(shapes=["rnn_1760"], workloads=["product"]))
    assert list(one.labels.values()) == ["RNN 1760"]


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to measure"):
        plan(BenchOptions(shapes=["own"], results=str(tmp_path)))
    with pytest.raises(ValueError, match="nothing to measure"):
        plan(BenchOptions(shapes=["rnn_2560"], workloads=["network"]))


def test_a_model_brings_its_own_mask(network: Callable, tmp_path: Path) -> None:
    model, kept = network("gru_sparse")
    content = to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(161), torch.ones(161)))
    (tmp_path / "own.safetensors").write_bytes(content)
    planned = plan(BenchOptions(shapes=["own"], models=[str(tmp_path / "own.safetensors")]))
    (shape,), (whole,) = planned.shapes, planned.networks
    assert shape.weight is not None
    assert torch.equal(shape.weight, model.recurrent[1].recurrent.weight.detach())  # the middle one of three
    assert shape.label == "own, 24 units, scale=smoke" == whole.label
    assert planned.baselines == {"own": ""}  # none of the models is as wide as the dense baseline
    assert [variant.sparsity is None for variant in whole.variants()] == [True, False]


def test_two_models_of_one_name_are_an_error(tmp_path: Path, network: Callable) -> None:
    model, kept = network("gru_sparse")
    content = to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(161), torch.ones(161)))
    files = [tmp_path / folder / "own.safetensors" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(content)
    with pytest.raises(ValueError, match="two are called 'own'"):
        plan(BenchOptions(models=[str(file) for file in files]))


def test_groups_come_in_order_without_those_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def recurrent(workload: str, shape: object, streams: list[int], *_: object) -> list[list[Measurement]]:
        return [[Measurement(workload, shape.name, n, Candidate("a", "int8"), [1.0])] for n in streams]  # type: ignore[attr-defined]

    monkeypatch.setattr("prune_rnn.bench.measure.recurrent", recurrent)
    planned = plan(BenchOptions(shapes=["rnn_2560", "rnn_3072"], streams=[1, 4]))
    found = [(g[0].workload, g[0].shape, g[0].streams) for g in planned.groups({("product", "rnn_2560", 4)})]
    assert found[:3] == [("product", "rnn_2560", 1), ("product", "rnn_3072", 1), ("product", "rnn_3072", 4)]
    assert found[3:] == [("layer", shape, n) for shape in ("rnn_2560", "rnn_3072") for n in (1, 4)]
