"""The frontier's points: one per width or sparsity, on the line of its kind, without other trainings and methods."""

from collections.abc import Callable
from pathlib import Path

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.figures.frontier import lines
from prune_rnn.report.figures.style import Material


def test_points_lie_on_the_line_of_their_kind(fabricate: Callable, tmp_path: Path) -> None:
    """Edits of 22 characters: 5 and 6 are 25 % for the dense network, over seeds."""
    fabricate("gru_dense", edits=[5])
    fabricate("gru_dense", "seed=1", edits=[6])
    fabricate("gru_dense", "model.units=64")
    fabricate("gru_sparse", sparsity=0.886)
    fabricate("gru_sparse", "seed=1", device="NVIDIA H100", sparsity=0.886)
    fabricate("gru_sparse", "prune.sparsity=0.5", sparsity=0.5)
    fabricate("gru_sparse", "prune=hard", sparsity=0.886)
    fabricate("gru_sparse", "prune.start_epoch=5", sparsity=0.886)
    fabricate("gru_sparse", "prune.regrow=true", sparsity=0.886)
    fabricate(
        "gru_sparse",
        "prune.layers={a:[recurrent.0.recurrent.weight],b:[linear.weight]}",
        "prune.sparsity=0.1",
        sparsity=0.1,
    )
    fabricate("gru_dense", "train.learning_rate=0.001")
    library = Library([f"results={tmp_path / 'results'}"])
    rows = library.rows(layout(file_of("table3")).rows)
    (family,) = lines(Material(rows, library.comparable())).items()
    assert family[0] == "gru"
    texts = {line: {point.text: len(point.cer) for point in points} for line, points in family[1].items()}
    assert texts == {
        "dense": {"64": 1, "128": 2},
        "128 units": {"50 %": 1, "88.6 %": 1, "88.6 %, device GPU": 1},
        "128 units, epochs 5, 5, 10": {"88.6 %": 1},
    }
    assert round(family[1]["dense"][1].mean, 6) == 25.0
