"""The whole report: from runs to tables, figures and the page."""

import csv
from collections.abc import Callable
from pathlib import Path

from prune_rnn.config import compose_config
from prune_rnn.experiment import experiment
from prune_rnn.report.report import report


def test_the_report_finds_runs_by_their_configuration(tiny: list[str], tmp_path: Path) -> None:
    shared = [word for word in tiny if not word.startswith("model")]
    for seed in (0, 4):
        experiment(compose_config([*shared, "model=gru_dense", f"seed={seed}"]), "")
    experiment(compose_config([*shared, "model=gru_sparse"]), "")  # q from the dense run: found again all the same
    experiment(compose_config([*shared, "model=gru_dense", "train.learning_rate=0.001"]), "")  # not in the table
    printed = report(shared)
    tables = {path.suffix: path for path in (tmp_path / "results" / "tables").iterdir()}
    assert all(path.name.startswith("table3_smoke_") for path in tables.values())  # not the table of the defaults
    rows = {row["model"]: row for row in csv.DictReader(tables[".csv"].read_text().splitlines())}
    assert len(rows) == 11
    assert {name: row["seeds"] for name, row in rows.items() if row["seeds"]} == {"GRU Dense": "0 4", "GRU Sparse": "0"}
    assert "RNN Sparse Big: prune-rnn train model=rnn_sparse_big data=manifest" in printed and "scale=smoke" in printed
    for suffix in (".md", ".tex"):
        text = tables[suffix].read_text()
        assert "GRU Sparse Medium" in text and "scale=smoke" in text


def test_tables_and_page_tell_the_same_notes(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", edits=[5, 6])
    fabricate("gru_sparse", edits=[6, 6], processes=4)
    results = tmp_path / "results"
    printed = report([f"results={results}"])
    page = (results / "report.html").read_text()
    for text in (printed, page, *((results / "tables" / f"table3_small.{end}").read_text() for end in ("md", "tex"))):
        assert "† One seed" in text and "Warning: GRU Sparse and GRU Dense" in text and "includes 0 †" in text
    assert "skipped" not in printed and f"written: {results / 'report.html'}" in printed


def test_a_folder_without_runs_is_refused_and_not_made(command: Callable, tmp_path: Path) -> None:
    done = command("report", f"results={tmp_path / 'nope'}")
    assert done.returncode == 2 and f"there is no run in {tmp_path / 'nope' / 'runs'}" in done.stderr
    assert not (tmp_path / "nope").exists()


def test_without_runs_of_the_scale_there_are_commands_and_no_figures(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", "scale=smoke")
    results = tmp_path / "results"
    printed = report([f"results={results}"])
    assert printed.count("skipped: figure") == 4 and not (results / "figures").exists()
    page = (results / "report.html").read_text()
    assert "prune-rnn train model=gru_sparse_big" in page and "No finished runs" in page and "<img" not in page
