"""Table 3 from runs: numbers worked out by hand."""

import csv
from pathlib import Path
from typing import Any

import pytest

from prune_rnn.config import compose_config
from prune_rnn.experiment import experiment
from prune_rnn.table.table3 import Row, frame, relative, report

PAPER = {"cer": 10.67, "parameters": "67 M", "relative": 0.0}


def result(cer: float, nonzero: int = 1000, sparsity: float = 0.0) -> dict[str, Any]:
    return {"test": {"cer": {"rate": cer}}, "nonzero": nonzero, "sparsity": sparsity, "seed": 0}


@pytest.mark.parametrize(("cer", "published"), [(14.50, -35.9), (12.88, -20.71), (10.59, 0.75), (10.25, 3.94)])
def test_relative_performance_is_the_papers(cer: float, published: float) -> None:
    assert round(100 * relative(10.67, cer), 2) == published


def test_rows_are_compared_with_their_familys_first() -> None:
    rows = [
        Row("Dense", "rnn", "", 10, PAPER, [result(0.20), result(0.22)]),
        Row("Sparse", "rnn", "", 10, {}, [result(0.25, 1234567, 0.885)]),
        Row("Other dense", "gru", "", 10, {}, [result(0.10)]),
        Row("Other sparse", "gru", "", 10, {}, []),
    ]
    table = frame(rows).set_index("Model")
    assert table["CER %"].tolist() == ["21.00 ± 1.41", "25.00", "10.00", "-"]  # 1.41 = sqrt(2), of 20 and 22
    assert table["Relative %"].tolist() == ["+0.00", "-19.05", "+0.00", "-"]  # (21 - 25) / 21
    assert table["Parameters"].tolist() == ["1,000", "1,234,567", "1,000", "-"]
    assert table["Sparsity %"].tolist() == ["0.0", "88.5", "0.0", "-"]
    assert table["Paper's CER %"].tolist() == ["10.67", "-", "-", "-"]
    assert table["Seeds"].tolist() == ["2", "1", "1", "0"]


def test_a_familys_baseline_without_a_run_leaves_dashes() -> None:
    table = frame([Row("Dense", "rnn", "", 10, {}, []), Row("Sparse", "rnn", "", 10, {}, [result(0.25)])])
    assert table["Relative %"].tolist() == ["-", "-"]


def test_the_report_finds_runs_by_their_configuration(tiny: list[str], tmp_path: Path) -> None:
    shared = [word for word in tiny if not word.startswith("model")]
    for seed in (0, 4):
        experiment(compose_config([*shared, "model=gru_dense", f"seed={seed}"]), "")
    experiment(compose_config([*shared, "model=gru_sparse"]), "")  # q from the dense run: found again all the same
    experiment(compose_config([*shared, "model=gru_dense", "train.learning_rate=0.001"]), "")  # not in the table
    printed = report(shared)
    tables = {path.suffix: path for path in (tmp_path / "results" / "tables").iterdir()}
    assert all(path.name.startswith("table3_smoke_") for path in tables.values())  # not the table of the defaults
    rows = {row["Model"]: row for row in csv.DictReader(tables[".csv"].read_text().splitlines())}
    assert len(rows) == 11
    assert {name: row["Seeds"] for name, row in rows.items() if row["Seeds"] != "0"} == {
        "GRU Dense": "2",
        "GRU Sparse": "1",
    }
    assert "RNN Sparse Big: prune-rnn train model=rnn_sparse_big data=manifest" in printed and "scale=smoke" in printed
    for suffix in (".md", ".tex"):
        text = tables[suffix].read_text()
        assert "GRU Sparse Medium" in text and "scale=smoke" in text


@pytest.mark.parametrize("override", ["model=gru_dense", "seed=1", "prune=none"])
def test_the_report_takes_no_row_of_its_own(override: str) -> None:
    with pytest.raises(ValueError, match="the rows choose"):
        report([override])
