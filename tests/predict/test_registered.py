"""A registered prediction is older than its run, and never changes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.predict import registered
from prune_rnn.predict.registered import read, register

ROOT = Path(__file__).parents[2]


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "commit", lambda: "0123456789")


@pytest.mark.usefixtures("committed")
def test_a_prediction_is_added_once(tmp_path: Path) -> None:
    (one,) = register(["model=gru_sparse prune=nm"], tmp_path)
    assert one.low < one.cer < one.high and one.commit == "0123456789"
    before = (tmp_path / registered.FILE).read_text()
    assert register(["model=gru_sparse prune=nm"], tmp_path) == []
    assert (tmp_path / registered.FILE).read_text() == before and read(tmp_path) == [one]
    assert one.config(f"{tmp_path}").prune.method == "nm"


@pytest.mark.usefixtures("committed")
def test_what_is_trained_already_can_not_be_registered(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", "seed=9")
    with pytest.raises(ValueError, match=r"model=gru_dense seed=9: is trained already; leave it out"):
        register(["model=gru_dense seed=9"], tmp_path / "results")


def test_a_changed_program_registers_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registered, "commit", lambda: "0123456789+changes")
    with pytest.raises(ValueError, match="commit first"):
        register(["model=gru_dense"], tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / registered.FILE).write_text("overrides,cer\nmodel=gru_dense,x\n")
    with pytest.raises(ValueError, match=r"predictions.csv is damaged"):
        read(tmp_path)


def test_the_committed_predictions_compose() -> None:
    found = read(ROOT / "results")
    for one in found[::8]:  # each takes a while
        assert one.low < one.cer < one.high and len(one.commit) == 40
        one.config("results")
