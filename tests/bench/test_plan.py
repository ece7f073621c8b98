"""The options of `prune-rnn bench`, and the shapes that they name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn.bench.measure import Candidate, Measurement
from prune_rnn.bench.plan import BenchOptions, Unfinished, layout, shapes_of
from prune_rnn.deploy.file import Packed, read, to_bytes
from prune_rnn.deploy.network import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.cells import Cells


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"blocks": ["layr"]}, "blocks: 'layr': did you mean 'layer'?"),
        ({"shapes": ["gru_256"]}, "shapes: 'gru_256': did you mean 'gru_2560'?"),
        ({"streams": []}, r"streams=\[\]: give one or more"),
        ({"streams": [0]}, r"streams=\[0\]: each must be 1 or more"),
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


def test_the_papers_shapes_are_there() -> None:
    shapes = {shape.name: shape for shape in shapes_of(BenchOptions(), {})}
    rows = {name: (shape.cell.gates * shape.units, shape.units) for name, shape in shapes.items()}
    assert rows["gru_2560"] == (7680, 2560) and rows["gru_3584"] == (10752, 3584)  # DeepBench's
    assert {shape.units for shape in shapes.values() if shape.cell is Cells.rnn.value} == {1760, 2560, 3072}
    assert {shapes[name].baseline for name in ("gru_2560", "gru_3568")} == {"gru_2560"}
    assert shapes["rnn_3072"].paper["speedup"] == 1.16
    assert [shape.name for shape in shapes_of(BenchOptions(shapes=["rnn_1760"]), {})] == ["rnn_1760"]
    assert all(entry["baseline"] in shapes for entry in layout()["shapes"])


def test_a_model_brings_its_own_mask(network: Callable, tmp_path: Path) -> None:
    model, kept = network("gru_sparse")
    path = tmp_path / "own.safetensors"
    path.write_bytes(to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(161), torch.ones(161))))
    models: dict[str, Packed] = {"own": read(path)}
    (shape,) = shapes_of(BenchOptions(shapes=["own"]), models)
    assert shape.weight is not None
    assert torch.equal(shape.weight, model.recurrent[1].recurrent.weight.detach())  # the middle one of three
    assert shape.label == "own, 24 units, scale=smoke" and shape.baseline == ""


def test_what_was_measured_before_a_kill_is_kept(tmp_path: Path) -> None:
    path = tmp_path / ".table5.unfinished"
    group = [Measurement("product", "x", 4, Candidate("engine int8", "int8", 0.9, bytes=7), [1.0, 2.5])]
    first = Unfinished(path, "stamp")
    first.add(group)
    assert Unfinished(path, "stamp").groups == {("product", "x", 4): group}
    assert Unfinished(path, "another commit").groups == {}
    path.write_text(path.read_text() + '[{"block": "lay')  # cut off
    assert Unfinished(path, "stamp").groups == {("product", "x", 4): group}
