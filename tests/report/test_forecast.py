"""Networks beside what the law of all others predicts."""

from collections.abc import Callable
from pathlib import Path

from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.forecast import tables


def test_a_network_is_predicted_by_all_others_or_not_at_all(fabricate: Callable, tmp_path: Path) -> None:
    """The error falls with the width and rises with the sparsity, so the middle one lies between."""
    widths = (32, 64, 96, 128, 192)
    for width, edits in zip(widths, (12, 10, 9, 8, 7), strict=True):
        fabricate("gru_dense", f"model.units={width}", edits=[edits])
    layout = Layout(kind="forecast", rows=[RowLayout(overrides=f"model=gru_dense model.units={w}") for w in (96, 500)])
    library = Library([f"results={tmp_path / 'results'}"])
    (table,) = tables("forecast", layout, library)
    first, missing = table.rows
    assert first["by networks"] == "4" and first["predicted CER %"] == "-" and first["measured CER %"] == "40.9"
    assert missing["measured CER %"] == "-" and len(table.missing) == 1
    for sparsity, edits in ((0.5, 10), (0.8, 13)):
        fabricate(
            "gru_sparse", f"prune.sparsity={sparsity}", edits=[edits], nonzero=200_000 if sparsity == 0.5 else 140_000
        )
    (table,) = tables("forecast", layout, library)
    predicted = float(table.rows[0]["predicted CER %"])
    assert 30 < predicted < 50 and table.rows[0]["off by, points"] == f"{predicted - 40.909:+.1f}"
