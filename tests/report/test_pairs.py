"""Networks in pairs, and how each pair stands beside the paper."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.interval import Interval
from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.pairs import beside, tables

SMALL = RowLayout(overrides="model=rnn_dense_small", label="Small", paper={"cer": 14.50})
SPARSE = RowLayout(overrides="model=rnn_sparse", label="Sparse", paper={"cer": 12.88})
BIG = RowLayout(overrides="model=rnn_sparse_big", label="Big")


def layout(*pairs: list[str]) -> Layout:
    return Layout(kind="pairs", rows=[SMALL, SPARSE, BIG], pairs=list(pairs), caption="Two by two.")


def test_pairs_stand_beside_the_papers(fabricate: Callable, tmp_path: Path) -> None:
    """The paper: (14.50 - 12.88) / 14.50 = 11.2 %. Here 8 edits instead of 10, in every utterance: 20 %."""
    for seed in (0, 1):
        fabricate("rnn_dense_small", f"seed={seed}", edits=[10, 10])
        fabricate("rnn_sparse", f"seed={seed}", edits=[8, 8])
    library = Library([f"results={tmp_path / 'results'}"])
    (table,) = tables("t", layout(["Sparse", "Small"], ["Small", "Sparse"], ["Big", "Small"]), library)
    first, second = table.rows  # Big has no run
    assert (first["Network"], first["Against"]) == ("Sparse", "Small")
    assert (first["Relative %"], first["95 % interval"]) == ("+20.0", "[+20.0, +20.0]")
    assert (first["Paper's relative %"], first["Beside the paper"]) == ("+11.2", "same direction")
    assert (second["Relative %"], second["Paper's relative %"]) == ("-25.0", "-12.6")
    assert [label for label, _ in table.missing] == ["Big"] and table.caption.startswith("Two by two. Relative: ")


def test_how_many_pairs_would_show_nothing_over_voices(fabricate: Callable, tmp_path: Path) -> None:
    """One of two voices makes 8 edits instead of 10, in each of its accents: 4 of 8 speakers, but 1 of 2 voices."""
    speakers = [f"{accent}+{voice}" for voice in ("f", "m") for accent in ("a", "b", "c", "d")]
    for seed in (0, 1):
        fabricate("rnn_dense_small", f"seed={seed}", edits=[10] * 8, speakers=speakers)
        fabricate("rnn_sparse", f"seed={seed}", edits=[8] * 4 + [10] * 4, speakers=speakers)
        fabricate("rnn_sparse_big", f"seed={seed}", edits=[5] * 8, speakers=speakers)
    library = Library([f"results={tmp_path / 'results'}"])
    (table,) = tables("t", layout(["Sparse", "Small"], ["Big", "Small"]), library)
    assert [row["Relative %"] for row in table.rows] == ["+10.0", "+50.0"]
    assert table.notes[0] == "2 of 2 pairs show a difference; over voices, not speakers, 1 of them would not."


@pytest.mark.parametrize(
    ("low", "high", "paper", "words"),
    [
        (0.01, 0.05, 0.05, "agrees"),  # the end belongs to it
        (0.01, 0.05, 0.051, "same direction"),
        (0.01, 0.05, -0.02, "opposite"),
        (-0.01, 0.07, 0.03, "no difference shown"),
        (-0.05, -0.01, None, "no such pair"),
    ],
)
def test_how_a_pair_stands_beside_the_paper(low: float, high: float, paper: float | None, words: str) -> None:
    assert beside(Interval(low, high, True), paper) == words and beside(None, paper) == "-"
