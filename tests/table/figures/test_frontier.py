"""The frontier's points: one per set of settings, labelled by what differs."""

from collections.abc import Callable
from pathlib import Path

from prune_rnn.table.figures.frontier import groups
from prune_rnn.table.figures.style import Material
from prune_rnn.table.rows import collect, comparable


def test_labels_tell_what_differs(fabricate: Callable, tmp_path: Path) -> None:
    for seed in (0, 1):
        fabricate("gru_dense", f"seed={seed}")
    fabricate("gru_sparse")
    fabricate("gru_sparse", "seed=1", device="NVIDIA H100")
    fabricate("gru_sparse", "prune.sparsity=0.9")
    fabricate("gru_dense", "train.learning_rate=0.001")
    shared, rows = collect([f"results={tmp_path / 'results'}"])
    found = {label: len(runs) for label, runs in groups(Material(rows, comparable(shared))).items()}
    assert found == {
        "GRU Dense": 2,
        "GRU Dense, learning_rate 0.001": 1,
        "GRU Sparse, device CPU": 1,
        "GRU Sparse, device GPU": 1,
        "GRU Sparse, 64 % sparse": 1,
    }
