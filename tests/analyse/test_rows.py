"""The rows of Table 3 and the runs they find."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import RowLayout, file_of, layout
from prune_rnn.analyse.rows import Library


def test_rows_find_their_runs_for_every_seed(fabricate: Callable, tmp_path: Path) -> None:
    dense = [fabricate("gru_dense", f"seed={seed}").folder.name for seed in (0, 4)]
    sparse = fabricate("gru_sparse").folder.name  # q from the dense run: found again all the same
    goal = fabricate("gru_sparse", "prune.sparsity=0.9").folder.name
    library = Library([f"results={tmp_path / 'results'}"])
    rows = library.rows(layout(file_of("table3")).rows)
    found = {row.label: [run.name for run in row.runs] for row in rows}
    assert len(rows) == 11 and found.pop("GRU Dense") == dense and found.pop("GRU Sparse") == [sparse]
    assert not any(found.values())
    assert {run.name for run in library.comparable()} == {*dense, sparse, goal}
    rows = Library([f"results={tmp_path / 'results'}", "prune.sparsity=0.9"]).rows(layout(file_of("table3")).rows)
    by_label = {row.label: row for row in rows}
    assert [run.name for run in by_label["GRU Sparse"].runs] == [goal] and len(by_label["GRU Dense"].runs) == 2
    assert by_label["GRU Sparse"].sparse and not by_label["GRU Dense"].sparse
    assert by_label["GRU Sparse"].command.endswith("prune.sparsity=0.9")


def test_runs_on_other_data_or_of_another_scale_are_not_comparable(fabricate: Callable, tmp_path: Path) -> None:
    one = fabricate("gru_dense", "train.learning_rate=0.001").folder.name  # another training, tested on the same
    fabricate("gru_dense", "data.test_hours=0.5")
    fabricate("gru_dense", "scale=smoke")
    library = Library([f"results={tmp_path / 'results'}"])
    rows = library.rows(layout(file_of("table3")).rows)
    assert [run.name for run in library.comparable()] == [one] and not any(row.runs for row in rows)


def test_a_key_that_a_row_does_not_take_names_the_row(tmp_path: Path) -> None:
    library = Library([f"results={tmp_path}", "prune.sparsity=0.9"])
    with pytest.raises(ValueError, match=r"prune.q=baseline: give one of them .row \W+the paper's q"):
        library.row(RowLayout(label="the paper's q", overrides="model=gru_sparse prune.q=baseline"))


@pytest.mark.parametrize("override", ["model=gru_dense", "seed=1", "prune=none"])
def test_the_report_takes_no_row_of_its_own(override: str) -> None:
    with pytest.raises(ValueError, match="the rows choose"):
        Library([override])


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.yaml", None), ("result.json", "{"), ("history.csv", None), ("hypotheses.jsonl", "{")],
)
def test_a_damaged_run_is_reported_once_and_left_out(
    fabricate: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None
) -> None:
    damaged, other = fabricate("gru_dense"), fabricate("gru_dense", "seed=1")
    (damaged.folder / name).unlink() if content is None else (damaged.folder / name).write_text(content)
    library = Library([f"results={tmp_path / 'results'}"])
    rows = library.rows(layout(file_of("table3")).rows)
    assert [run.name for row in rows for run in row.runs] == [other.folder.name]
    assert [run.name for run in library.comparable()] == [other.folder.name]
    (line,) = capsys.readouterr().err.splitlines()
    assert "going on without a damaged run" in line and str(damaged.folder / name) in line


def test_a_run_on_an_estimate_is_outdated_once_its_dense_run_is_there(fabricate: Callable, tmp_path: Path) -> None:
    words = [f"results={tmp_path / 'results'}", "prune.q=baseline"]
    run = fabricate("gru_sparse", "prune.q=baseline")
    assert {row.label: row for row in Library(words).rows(layout(file_of("table3")).rows)}["GRU Sparse"].outdated == []
    fabricate("gru_dense")
    found = {row.label: row for row in Library(words).rows(layout(file_of("table3")).rows)}["GRU Sparse"]
    assert [each.name for each in found.runs] == found.outdated == [run.folder.name]


def test_a_row_of_any_overrides_finds_its_runs_and_names_what_is_missing(fabricate: Callable, tmp_path: Path) -> None:
    run = fabricate("rnn_sparse", "prune=hard", "prune.epoch=5", "seed=1").folder.name
    row = Library([f"results={tmp_path / 'results'}"]).row(
        RowLayout(overrides="model=rnn_sparse prune=hard prune.epoch=5")
    )
    assert [each.name for each in row.runs] == [run] and row.label == "model=rnn_sparse prune=hard prune.epoch=5"
    assert [seed for seed, _ in row.commands(3)] == [0, 2] and row.commands(1)[0][1] == row.command
    assert row.commands(3)[1][1] == f"{row.command} seed=2"


def test_one_composition_serves_several_folders_of_results(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense")
    (tmp_path / "other" / "runs").mkdir(parents=True)
    found = [
        Library([f"results={tmp_path / name}"]).row(RowLayout(overrides="model=gru_dense"))
        for name in ("results", "other")
    ]
    assert [len(row.runs) for row in found] == [1, 0]
