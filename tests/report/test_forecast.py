"""Networks beside what the law of all others predicts, and the registered predictions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.predict import registered
from prune_rnn.report.forecast import tables


def test_a_network_is_predicted_by_all_others(
    fabricate: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 0 of gru_dense comes with the package; 6 of 22 characters are wrong here, which is inside."""
    results = tmp_path / "results"
    monkeypatch.setattr(registered, "commit", lambda: "0123456789")
    registered.register(["model=gru_sparse prune=nm", "model=gru_sparse prune=random"], results)
    fabricate("gru_dense", edits=[6, 6])
    fabricate("gru_sparse", "prune=nm", edits=[7, 8, 8])
    rows = [RowLayout(overrides=f"model=gru_dense model.units={units}") for units in (128, 500)]
    first, second = tables("forecast", Layout(kind="forecast", rows=rows), Library([f"results={results}"]))
    known, missing = first.rows
    assert known["measured CER %"] == "27.3" and known["inside"] == "yes" and missing["measured CER %"] == "-"
    assert 25 < float(known["predicted CER %"]) < 28.5 and len(first.missing) == 1
    assert first.notes[0].startswith("Of 1 networks 1 (100 %) lie inside of the 90 % interval.")
    nm, random = second.rows
    assert nm["network"] == "model=gru_sparse prune=nm" and nm["inside"] == "no" and nm["commit"] == "0123456"
    assert random["inside"] == "-" and second.missing[0][1] == "prune-rnn train model=gru_sparse prune=random"
