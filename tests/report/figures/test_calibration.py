"""The figure shows the runs that the law says something about."""

from collections.abc import Callable
from pathlib import Path

from prune_rnn.analyse.finished import read
from prune_rnn.report.figures.calibration import draw
from prune_rnn.report.figures.style import Material


def test_dense_and_pruned_networks_of_each_cell(fabricate: Callable, tmp_path: Path) -> None:
    dense, pruned = fabricate("gru_dense", edits=[5, 6]), fabricate("gru_sparse", edits=[7])
    figure = draw(Material([], [read(dense), read(pruned)]))
    assert figure is not None
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels == {"GRU, dense", "GRU, pruned"}
    assert draw(Material([], [])) is None
