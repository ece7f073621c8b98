"""The frontier's rows, by hand."""

from collections.abc import Callable
from pathlib import Path

from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.frontier import tables

ROWS = ["model=gru_dense", "model=gru_dense model.units=64", "model=gru_sparse prune.sparsity=0.5", "model=gru_sparse"]
LAYOUT = Layout(kind="frontier", rows=[RowLayout(overrides=words) for words in ROWS])


def test_the_largest_comes_first_and_what_is_missing_last(fabricate: Callable, tmp_path: Path) -> None:
    """Of 22 characters 5, 10 and 6 are wrong: 100 % and 20 % worse than the baseline."""
    fabricate("gru_dense", edits=[5, 5], heard=True)
    fabricate("gru_dense", "model.units=64", edits=[10, 10])
    fabricate("gru_sparse", "prune.sparsity=0.5", edits=[6, 6], sparsity=0.5, nonzero=200_000)
    fabricate("gru_sparse", "seed=1", edits=[6, 6])  # another seed is not shown
    (table,) = tables("frontier", LAYOUT, Library([f"results={tmp_path / 'results'}"]))
    assert [row["network"] for row in table.rows] == ["128 units", "128 units", "64 units", "128 units"]
    dense, pruned, small, missing = table.rows
    assert dense["against the baseline %"] == "-" and small["against the baseline %"] == "-100.0 (-100.0 to -100.0)"
    assert pruned["against the baseline %"] == "-20.0 (-20.0 to -20.0)" and pruned["sparsity %"] == "50.0"
    assert pruned["against dense of its size %"] != "-" and pruned["pruned in epochs"] == "1 to 10"
    assert missing["test CER %"] == "-" and [label for label, _ in table.missing] == ["model=gru_sparse"]


def test_without_hypotheses_there_are_no_intervals(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", heard=False)
    fabricate("gru_dense", "model.units=64")
    (table,) = tables("frontier", LAYOUT, Library([f"results={tmp_path / 'results'}"]))
    assert [row["against the baseline %"] for row in table.rows] == ["-"] * 4 and "No intervals" in table.notes[0]
