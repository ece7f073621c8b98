"""Rows against each other, worked out by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.interval import Spread
from prune_rnn.analyse.layout import layout
from prune_rnn.analyse.pairs import compare_pairs
from prune_rnn.analyse.rows import collect, heard

NONE = Spread(0.0, 2)


def test_rows_are_compared_over_all_their_seeds(fabricate: Callable, tmp_path: Path) -> None:
    """Of 10 edits an utterance and seed, 8 and 6 are left: 30 % better at every utterance."""
    for seed, edits in ((0, 8), (1, 6)):
        fabricate("rnn_dense_small", f"seed={seed}", edits=[10, 10])
        fabricate("rnn_sparse", f"seed={seed}", edits=[edits, edits])
    fabricate("gru_sparse", edits=[5])
    rows = collect([f"results={tmp_path / 'results'}"])[1]
    (pair,), notes = compare_pairs(rows, layout("table3").pairs, heard(rows), NONE)
    assert (pair.row.label, pair.other.label) == ("RNN Sparse", "RNN Dense Small")
    assert pair.relative == pytest.approx(0.3) and pair.interval is not None and notes == []
    assert (pair.interval.low, pair.interval.high) == pytest.approx((0.3, 0.3))


def test_without_hypotheses_there_is_no_interval(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense_small", edits=[5, 5], heard=False)
    fabricate("gru_sparse", edits=[5, 5])
    rows = collect([f"results={tmp_path / 'results'}"])[1]
    (pair,), _ = compare_pairs(rows, layout("table3").pairs, heard(rows), NONE)
    assert pair.relative == 0 and pair.interval is None


def test_other_utterances_leave_no_interval_and_are_told(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense_small", edits=[5, 5])
    fabricate("gru_sparse", edits=[5])
    rows = collect([f"results={tmp_path / 'results'}"])[1]
    (pair,), notes = compare_pairs(rows, layout("table3").pairs, heard(rows), NONE)
    assert pair.interval is None and "GRU Sparse against GRU Dense Small: no interval" in notes[0]


def test_without_runs_nothing_is_compared(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", "scale=smoke")  # of another scale
    rows = collect([f"results={tmp_path / 'results'}"])[1]
    assert compare_pairs(rows, layout("table3").pairs, heard(rows), NONE) == ([], [])
