"""The law is found again where points follow one, and says so where it can't be; sizes are those of packed files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn.analyse.prediction import Point, alike, errors, expected_cer, law, packed_bytes
from prune_rnn.config import compose_config
from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.features import BINS
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.prune.select import select
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve

PLACES = [(100, 1), (400, 1), (1600, 1), (400, 1 / 16), (1600, 1 / 16), (1600, 1 / 256), (6400, 1 / 256)]
LAWFUL = [Point(size, density, 0.05 + size**-0.5 * density**-0.25) for size, density in PLACES]


def test_a_law_is_found_again() -> None:
    """1/20 + size^-1/2 density^-1/4; the least is 1/20 + 1/40, and floors are tried in steps of a twentieth of it."""
    found = law(LAWFUL)
    assert found is not None and found.floor == pytest.approx(0.05, abs=0.075 / 20)
    assert found.size == pytest.approx(0.5, rel=0.15) and found.share == pytest.approx(0.25, rel=0.15)
    assert found.cer(100, 1 / 16) == pytest.approx(0.05 + 2 / 10, rel=0.03)
    assert len(errors(LAWFUL)) == 7 and max(errors(LAWFUL)) < 0.01


@pytest.mark.parametrize(
    "points",
    [
        LAWFUL[:4],  # too few
        [Point(size, 1.0, 0.3 - size / 1e5) for size in (100, 200, 300, 400, 500, 600, 700)],  # dense ones only
        [Point(100, 1 / k, 0.3 + k / 100) for k in range(1, 8)],  # one size
        [*(Point(size, 1.0, 0.3 - size / 1e5) for size in range(100, 700, 100)), LAWFUL[3]],  # hangs on a single one
    ],
)
def test_no_law_where_points_do_not_tell(points: list[Point]) -> None:
    assert law(points) is None


def test_networks_trained_alike(fabricate: Callable, tmp_path: Path) -> None:
    """Another seed is the same network; other steps or epochs of pruning are not alike; its own runs don't count.

    20 x 128^2 parameters in 7 layers of 46,811, of which 5 can be pruned: 234,055.
    """
    sizes = {"parameters": 327_677, "prunable": 234_055}
    fabricate("gru_dense", edits=[5])
    fabricate("gru_dense", "seed=1", edits=[6])
    fabricate("gru_dense", "model.units=64", edits=[7])
    fabricate("gru_dense", "train.steps_per_epoch=3")
    fabricate("rnn_dense")
    fabricate("gru_sparse", nonzero=327_677 - 234_055 * 9 // 10, **sizes)
    fabricate("gru_sparse", "prune.sparsity=0.5", nonzero=327_677 - 234_055 * 6 // 10, edits=[9], **sizes)
    fabricate("gru_sparse", "prune.start_epoch=5")
    fabricate("gru_sparse", "prune=hard")
    config, _ = resolve(compose_config(["model=gru_sparse", f"results={tmp_path / 'results'}"]))
    found = sorted(alike(config, 0.9), key=lambda point: point.cer)
    assert [round(22 * point.cer, 6) for point in found] == [5.5, 7, 9]
    assert [round(point.density, 3) for point in found] == [1, 1, 0.4]
    assert "there are 3 other networks" in expected_cer(config, 0.9)


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.93, 0.99])
@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("name", ["gru_sparse", "rnn_sparse"])
def test_size_is_that_of_the_packed_file(name: str, dtype: Dtype, sparsity: float) -> None:
    config, source = resolve(compose_config([f"model={name}"]))
    torch.manual_seed(0)
    model = DeepSpeech2(config.model)
    for group in select(model, config.model.prunable).values():
        for weight in group.values():
            weight.data *= torch.rand(weight.shape) >= sparsity
    features = torch.zeros(BINS), torch.ones(BINS)
    made = len(to_bytes(pack(model.state_dict(), recorded(config, source), dtype, *features)))
    assert packed_bytes(config.model, sparsity, dtype) == pytest.approx(made, rel=0.05)
