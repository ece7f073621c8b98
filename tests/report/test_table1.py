"""Table 1 by hand: steps of the paper's heuristics at 20 epochs of 200 steps, slopes by equation 1."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.table1 import tables
from prune_rnn.run.store import Run
from prune_rnn.usage import UsageError


def library(tmp_path: Path) -> Library:
    return Library([f"results={tmp_path / 'results'}"])


def test_hyper_parameters_as_used(fabricate: Callable[..., Run], tmp_path: Path) -> None:
    """theta = 2 q freq / (2 (ramp - start) + 3 (end - ramp)), phi = 1.5 theta; q = 0.2, freq = 200 / 27 is 7 steps:
    2 * 0.2 * 7 / (2 * 800 + 3 * 1000) = 0.000609."""
    fabricate("gru_sparse", threshold={"recurrent": 0.2, "linear": 0.3})
    layout = Layout(kind="table1", rows=[RowLayout(overrides="model=gru_sparse", label="GRU Sparse")])
    (table,) = tables("table1", layout, library(tmp_path))
    recurrent, linear = table.rows
    wanted = ("GRU Sparse", "recurrent", "calibrated", "0.2", "200", "1,000", "2,000", "7", "0.000609", "0.000913")
    assert tuple(recurrent.values())[:10] == wanted
    assert (linear["layer type"], linear["q"], linear["goal %"]) == ("linear", "0.3", "88.6")


def test_without_a_run_only_the_steps_are_known(tmp_path: Path) -> None:
    rows = [RowLayout(overrides="model=gru_sparse"), RowLayout(overrides="model=gru_sparse prune.q=0.1")]
    (table,) = tables("table1", Layout(kind="table1", rows=rows), library(tmp_path))
    assert [(row["q"], row["theta"], row["end, step"]) for row in table.rows[::2]] == [
        ("-", "-", "2,000"),
        ("0.1", "0.000304", "2,000"),
    ]
    assert len(table.missing) == 2


def test_it_is_of_gradual_pruning(tmp_path: Path) -> None:
    layout = Layout(kind="table1", rows=[RowLayout(overrides="model=gru_sparse prune=cubic", label="x")])
    with pytest.raises(UsageError, match=r"x: Table 1 is of prune=gradual, and this is prune=cubic"):
        tables("table1", layout, library(tmp_path))
