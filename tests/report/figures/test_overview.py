"""The overview holds the table's rows, by their means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.figures.overview import draw
from prune_rnn.report.figures.style import Material


def test_dense_and_pruned_networks_lie_on_a_line_each(fabricate: Callable, tmp_path: Path) -> None:
    """Edits of 22 characters: 5 and 6 are 25 % over seeds, 8 are 36.4 %. A setting of its own is no row."""
    fabricate("gru_dense", edits=[5])
    fabricate("gru_dense", "seed=1", edits=[6])
    fabricate("gru_sparse", edits=[8], sparsity=0.886)
    fabricate("gru_sparse", "prune.sparsity=0.5", sparsity=0.5)
    library = Library([f"results={tmp_path / 'results'}"])
    rows = library.rows(layout(file_of("table3")).rows)
    figure = draw(Material(rows, library.comparable()))
    assert figure is not None
    [axes] = figure.axes
    shown = {str(line.get_label()): list(line.get_ydata()) for line in axes.get_lines()}
    assert shown == {"dense": [pytest.approx(25.0)], "pruned": [pytest.approx(100 * 8 / 22)]}
    assert {text.get_text() for text in axes.texts} == {"Dense", "Sparse"}
