"""Table 3's numbers, worked out by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.comparison import Line, Versus, compare, compare_pairs, problems, relative
from prune_rnn.analyse.finished import read
from prune_rnn.analyse.interval import Spread
from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library, Row
from prune_rnn.run.store import Run

NONE = Spread(0.0, 2)


def row(label: str, *runs: Run) -> Row:
    return Row(
        label=label,
        family="gru",
        model="",
        command="",
        trains=None,
        units=1,
        sparse=False,
        config=None,
        composed=None,
        runs=[*map(read, runs)],
    )


def compared(*rows: Row) -> tuple[list[Line], list[str]]:
    return compare(rows, {run.name: run.edits() for row in rows for run in row.runs}, NONE)


@pytest.mark.parametrize(("cer", "published"), [(14.50, -35.9), (12.88, -20.71), (10.59, 0.75), (10.25, 3.94)])
def test_relative_performance_is_the_papers(cer: float, published: float) -> None:
    assert round(100 * relative(10.67, cer), 2) == published


def test_means_deviation_and_interval(fabricate: Callable) -> None:
    """Of 22 characters: 2 and 4 wrong for the baseline, 3 and 6 for the row: 1.5 times as many at every utterance."""
    dense = row("Dense", fabricate("gru_dense", edits=[2, 2]), fabricate("gru_dense", "seed=1", edits=[4, 4]))
    sparse = row("Sparse", fabricate("gru_sparse", edits=[3, 3]), fabricate("gru_sparse", "seed=1", edits=[6, 6]))
    (baseline, line), notes = compared(dense, sparse)
    assert baseline.cer == pytest.approx(3 / 22) and baseline.cer_deviation == pytest.approx(2**0.5 / 22)
    assert baseline.relative == 0 and baseline.interval is None
    assert line.relative == pytest.approx(-0.5) and line.interval is not None
    assert (line.interval.low, line.interval.high) == pytest.approx((-0.5, -0.5))
    assert line.seeds == (0, 1) and line.bytes is None and line.wer == pytest.approx(11.25 / 22)
    assert line.parameters == 20 * 128**2 - 3 and line.sparsity_recurrent == 0.92 and notes == []


def test_each_row_counts_all_of_its_seeds(fabricate: Callable) -> None:
    """Networks of unlike shapes have nothing in common at the same seed: (11 + 1 + 11 + 2) / 2 against 10."""
    dense = row("Dense", *(fabricate("gru_dense", f"seed={seed}", edits=[10, 10]) for seed in (0, 1)))
    sparse = row("Sparse", *(fabricate("gru_sparse", f"seed={seed}", edits=[11 + seed] * 2) for seed in (1, 2)))
    (_, line), notes = compared(dense, sparse)
    assert line.seeds == (1, 2) and line.cer == pytest.approx(12.5 / 22) and notes == []
    assert line.relative == pytest.approx(-0.25) and line.interval is not None
    assert line.interval.low <= -0.25 <= line.interval.high


def test_a_run_without_hypotheses_leaves_no_interval(fabricate: Callable) -> None:
    dense, silent = row("Dense", fabricate("gru_dense")), fabricate("gru_sparse", heard=False)
    (_, line), notes = compared(dense, row("Sparse", silent))
    assert line.relative == 0 and line.interval is None
    assert notes == [f"No interval where a run has no hypotheses.jsonl: {silent.folder.name}."]


def test_other_utterances_leave_no_interval(fabricate: Callable, relist: Callable) -> None:
    dense, other = row("Dense", fabricate("gru_dense", edits=[5])), fabricate("gru_sparse", edits=[5])
    line = {"reference": "a dog lay on the mat x", "hypothesis": "zzzzz lay on the mat x"}
    (other.folder / "hypotheses.jsonl").write_text(json.dumps(line) + "\n")
    relist(other)
    (_, line), notes = compared(dense, row("Sparse", other))
    assert line.interval is None and "not tested on the same utterances" in notes[0]


def test_rows_without_runs_hold_nothing(fabricate: Callable) -> None:
    (baseline, line), notes = compared(row("Dense"), row("Sparse", fabricate("gru_sparse")))
    assert baseline.cer is None and baseline.seeds == () and line.relative is None and notes == []


def in_pairs(tmp_path: Path) -> tuple[list[Versus], list[str]]:
    """Table 3's pairs, and their problems."""
    table3, library = layout(file_of("table3")), Library([f"results={tmp_path / 'results'}"])
    rows = library.rows(table3.rows)
    found = compare_pairs(rows, table3.pairs, library.edits(rows), NONE)
    return found, problems(found)


def test_pairs_are_compared_over_all_their_seeds(fabricate: Callable, tmp_path: Path) -> None:
    """Of 10 edits an utterance and seed, 8 and 6 are left: 30 % better at every utterance."""
    for seed, edits in ((0, 8), (1, 6)):
        fabricate("rnn_dense_small", f"seed={seed}", edits=[10, 10])
        fabricate("rnn_sparse", f"seed={seed}", edits=[edits, edits])
    fabricate("gru_sparse", edits=[5])
    (pair,), notes = in_pairs(tmp_path)
    assert (pair.row.label, pair.other.label) == ("RNN Sparse", "RNN Dense Small")
    assert pair.relative == pytest.approx(0.3) and pair.interval is not None and notes == []
    assert (pair.interval.low, pair.interval.high) == pytest.approx((0.3, 0.3))


def test_a_pair_without_hypotheses_has_no_interval(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense_small", edits=[5, 5], heard=False)
    fabricate("gru_sparse", edits=[5, 5])
    (pair,), _ = in_pairs(tmp_path)
    assert pair.relative == 0 and pair.interval is None


def test_a_pair_on_other_utterances_has_no_interval_and_a_note(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense_small", edits=[5, 5])
    fabricate("gru_sparse", edits=[5])
    (pair,), notes = in_pairs(tmp_path)
    assert pair.interval is None and "GRU Sparse against GRU Dense Small: no interval" in notes[0]


def test_a_pair_without_runs_is_left_out(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", "scale=smoke")  # of another scale
    assert in_pairs(tmp_path) == ([], [])
