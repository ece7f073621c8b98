"""The whole report: from runs to tables, figures and the page."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import file_of, layout, names
from prune_rnn.analyse.rows import Library
from prune_rnn.config.config import compose_config
from prune_rnn.report.figures.catalogue import FIGURES
from prune_rnn.report.report import KINDS, report
from prune_rnn.train.experiment import experiment
from prune_rnn.usage import UsageError


def test_the_report_finds_runs_by_their_configuration(tiny: list[str], tmp_path: Path) -> None:
    shared = [word for word in tiny if not word.startswith("model")]
    for seed in (0, 4):
        experiment(compose_config([*shared, "model=gru_dense", f"seed={seed}"]), "")
    experiment(compose_config([*shared, "model=gru_sparse"]), "")  # q from the dense run: found again all the same
    experiment(compose_config([*shared, "model=gru_dense", "train.learning_rate=0.001"]), "")  # not in the table
    printed = report(shared, ["table3"])
    written = [*(tmp_path / "results" / "tables").glob("table3_smoke_*")]  # not the table of the defaults
    tables = {path.suffix: path for path in written}
    rows = {row["model"]: row for row in csv.DictReader(tables[".csv"].read_text().splitlines())}
    assert len(rows) == 11
    assert {name: row["seeds"] for name, row in rows.items() if row["seeds"]} == {"GRU Dense": "0 4", "GRU Sparse": "0"}
    assert "RNN Sparse Big: prune-rnn train model=rnn_sparse_big data=manifest" in printed and "scale=smoke" in printed
    for suffix in (".md", ".tex"):
        text = tables[suffix].read_text()
        assert "GRU Sparse Medium" in text and "scale=smoke" in text


@pytest.mark.slow
def test_tables_and_page_tell_the_same_notes(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", edits=[5, 6])
    fabricate("gru_sparse", edits=[6, 6], processes=4)
    results = tmp_path / "results"
    printed = report([f"results={results}"])
    page = (results / "report.html").read_text()
    for text in (printed, page, *((results / "tables" / f"table3_small.{end}").read_text() for end in ("md", "tex"))):
        assert "† No setting" in text and "includes 0 †" in text
        assert "Warning: These differ from GRU Dense in processes (4, there 1)" in text
    assert "skipped: figure" not in printed and f"written: {results / 'report.html'}" in printed


def test_a_folder_without_runs_is_refused_and_not_made(command: Callable, tmp_path: Path) -> None:
    done = command("report", f"results={tmp_path / 'nope'}")
    assert done.returncode == 2 and f"there is no run in {tmp_path / 'nope' / 'runs'}" in done.stderr
    assert not (tmp_path / "nope").exists()


@pytest.mark.slow
def test_a_scale_without_runs_has_commands_and_no_figures(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", "scale=smoke")
    results = tmp_path / "results"
    printed = report([f"results={results}", "scale=small"])
    assert printed.count("skipped: figure") == len(FIGURES) and not (results / "figures").exists()
    assert "not made: table trend at scale=small, no runs for it" in printed
    page = (results / "report.html").read_text()
    assert "prune-rnn train model=gru_sparse_big" in page and "No finished runs" in page and "<img" not in page


@pytest.mark.slow
def test_the_scales_that_are_there_are_reported(fabricate: Callable, tmp_path: Path) -> None:
    results = tmp_path / "results"
    fabricate("gru_sparse", "scale=smoke")
    printed = report([f"results={results}"])
    why = "prune.sparsity=0.95 (of the model, unless given): can't be met, as prune.layers has"
    assert f"not made: table frontier at scale=smoke, {why}" in printed
    assert {path.name for path in (results / "tables").glob("table3_*.csv")} == {"table3_smoke.csv"}
    rows = {
        row["model"]: row for row in csv.DictReader((results / "tables" / "table3_smoke.csv").read_text().splitlines())
    }
    assert rows["GRU Sparse"]["seeds"] == "0" and rows["GRU Dense"]["seeds"] == ""
    fabricate("gru_dense")
    fabricate("gru_dense", "scale.name=mine", "train.epochs=3", "prune=none")
    printed = report([f"results={results}"])
    assert "skipped: runs at scale=mine, which conf/scale does not have" in printed
    assert "table3_small" in printed and "table3_smoke" in printed and "scale=smoke" in printed
    page = (results / "report.html").read_text()
    assert 'id="table3_small"' in page and 'id="table3_smoke"' in page and "scale=smoke</code>" in page


def test_a_missing_row_is_in_every_rendering_with_its_command(fabricate: Callable, tmp_path: Path) -> None:
    results = tmp_path / "results"
    fabricate("rnn_dense")
    fabricate("rnn_sparse", "prune=hard", "prune.epoch=5")
    report([f"results={results}"], ["table4"])
    assert not (results / "report.html").exists()  # it shows all tables
    for ending in ("md", "tex"):
        text = (results / "tables" / f"table4_small.{ending}").read_text()
        assert "prune-rnn train model=rnn_sparse prune=hard prune.epoch=12" in text
    rows = list(csv.DictReader((results / "tables" / "table4_small.csv").read_text().splitlines()))
    assert [row["first_epoch"] for row in rows] == ["1.0", "5.0", "7.0", "10.0", "12.0", "15.0"]
    assert [bool(row["cer"]) for row in rows] == [False, True, False, False, False, False]


def test_a_table_of_ones_own_is_one_yaml_file(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", edits=[5])
    fabricate("gru_sparse", "prune.sparsity=0.5", edits=[6])
    own = tmp_path / "mine.yaml"
    own.write_text(
        "kind: compare\nrows:\n  - {overrides: model=gru_sparse prune.sparsity=0.5, baseline: model=gru_dense}\n"
    )
    printed = report([f"results={tmp_path / 'results'}"], [str(own)])
    assert "mine at scale=small" in printed and "-20.0" in printed
    assert (tmp_path / "results" / "tables" / "mine_small.tex").is_file()


def test_missing_commands_come_seed_after_seed_and_once(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense")
    commands = report([f"results={tmp_path / 'results'}"], ["table3"], missing=True).splitlines()
    assert len(commands) == len(set(commands)) == 32 and not any(c.split()[-2] == "gru_dense" for c in commands[:10])
    assert [c.partition("seed=")[2] for c in commands] == [""] * 10 + ["1"] * 11 + ["2"] * 11
    empty = report([f"results={tmp_path / 'none'}"], ["table4"], missing=True).splitlines()
    assert len(empty) == 7


@pytest.mark.parametrize("name", ["nope", "table5"])
def test_a_table_that_is_not_there_is_an_error(fabricate: Callable, tmp_path: Path, name: str) -> None:
    fabricate("gru_dense")
    with pytest.raises(UsageError, match=f"--table {name}: there is no such table; give one of table3"):
        report([f"results={tmp_path / 'results'}"], [name])


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_committed_tables_are_what_the_committed_runs_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])  # commands in the tables name `results` as it is from there
    each = layout(file_of(name))
    for table in KINDS[each.kind](name, each, Library([])):
        for ending, text in (("csv", table.csv()), ("md", table.markdown()), ("tex", table.latex())):
            assert Path("results", "tables", f"{table.name}_small.{ending}").read_text() == text
