"""Networks against their baseline and against each other, worked out by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.check import check_keys
from prune_rnn.report.compare import tables
from prune_rnn.usage import UsageError

HARD = RowLayout(
    overrides="model=rnn_sparse prune=hard prune.epoch=5", baseline="model=rnn_dense", against="model=rnn_sparse"
)


def test_means_over_seeds_and_both_comparisons(fabricate: Callable, tmp_path: Path) -> None:
    """Baseline 10 of 22 edits, hard 12: -20 %. Gradual 8: hard is 50 % worse. No seed differs from another."""
    for seed in (0, 1):
        fabricate("rnn_dense", f"seed={seed}", edits=[10, 10])
        fabricate("rnn_sparse", "prune=hard", "prune.epoch=5", f"seed={seed}", edits=[12, 12], sparsity=0.877)
    fabricate("rnn_sparse", edits=[8, 8])
    layout = Layout(kind="compare", rows=[HARD], columns=["method", "sparsity %", "pruned in epochs"], against="it")
    (table,) = tables("t", layout, Library([f"results={tmp_path / 'results'}"]))
    (row,) = table.rows
    assert list(row.values())[:4] == ["hard", "87.7", "at 5", "2"] and row["baseline's CER %"] == "45.45"
    assert row["CER %"] == "54.55" and row["relative %"] == "-20.0" and row["95 % interval"] == "[-20.0, -20.0]"
    assert row["against it %"] == "-50.0 [-50.0, -50.0]" and not table.missing
    assert table.notes == ["The test split has one speaker, or does not name them: intervals are over its utterances."]


def test_labels_and_what_rows_are_compared_with_are_shown_unasked(fabricate: Callable, tmp_path: Path) -> None:
    """Gradual 8 of 22 edits, hard 12: 50 % worse."""
    fabricate("rnn_sparse", edits=[8, 8])
    fabricate("rnn_sparse", "prune=hard", "prune.epoch=5", edits=[12, 12])
    rows = [RowLayout(overrides=HARD.overrides, against=HARD.against, label="at once")]
    (table,) = tables(
        "t", Layout(kind="compare", rows=rows, columns=["model"]), Library([f"results={tmp_path}/results"])
    )
    (row,) = table.rows
    assert list(row)[:2] == ["label", "model"] and row["label"] == "at once"
    assert row["against %"].startswith("-50.0 ")


def test_missing_rows_are_dashes_with_their_commands(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense")
    layout = Layout(kind="compare", rows=[HARD, RowLayout(overrides="model=gru_dense")], against="it")
    (table,) = tables("t", layout, Library([f"results={tmp_path / 'results'}"]))
    hard, dense = table.rows
    assert hard["CER %"] == hard["seeds"] == hard["against it %"] == "-" and dense["seeds"] == "1"
    assert dense["CER %"] == "27.27" and dense["relative %"] == "-"  # no baseline
    commands = [command.partition(" results=")[0] for _, command in table.missing]
    words = ["model=rnn_sparse prune=hard prune.epoch=5", "model=rnn_dense", "model=rnn_sparse"]
    assert commands == [f"prune-rnn train {each}" for each in words]


def test_other_conditions_are_reported(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("rnn_dense", edits=[10, 10])
    fabricate("rnn_sparse", "prune=hard", "prune.epoch=5", edits=[12, 12], precision="float32")
    layout = Layout(kind="compare", rows=[RowLayout(overrides=HARD.overrides, baseline=HARD.baseline)])
    *_, note = tables("t", layout, Library([f"results={tmp_path / 'results'}"]))[0].notes
    assert note.startswith("These differ from model=rnn_dense in precision (float32, there bfloat16)")
    assert note.endswith(": model=rnn_sparse prune=hard prune.epoch=5.")


def test_an_unknown_column_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(UsageError, match=r"t.yaml: columns has 'unit'; give some of label, model"):
        check_keys(Path("t.yaml"), Layout(kind="compare", rows=[HARD], columns=["unit"]))
