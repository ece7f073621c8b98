"""The sparsity of layers: of those that are pruned, in percent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.figures.layer_sparsity import by_layer


def test_pruned_layers_only_in_their_order(fabricate: Callable, tmp_path: Path) -> None:
    """Of the fabricated layers the third, recurrent.0, is the first that is pruned: 94 - 2 points."""
    fabricate("gru_sparse")
    rows = Library([f"results={tmp_path / 'results'}"]).rows(layout(file_of("table3")).rows)
    sparsity = by_layer(next(row for row in rows if row.runs))
    assert list(sparsity.index) == ["recurrent.0", "recurrent.1", "recurrent.2", "linear", "output"]
    assert sparsity["mean"].tolist() == pytest.approx([92, 91, 90, 89, 88])
