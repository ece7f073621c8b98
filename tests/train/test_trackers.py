"""Trackers get every epoch once, and can't harm a training."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from prune_rnn.train import trackers
from prune_rnn.train.trackers import Logger, Tracker, tracked
from prune_rnn.usage import UsageError

ROWS = [{"epoch": n, "step": 7 * n, "train_loss": 10.0 / n, "sparsity_recurrent": 0.1 * n} for n in (1, 2, 3)]


class Kept(Tracker):
    """Keeps what it gets; fails where it is asked to."""

    def __init__(self, fails: str = "", going_on: bool = False) -> None:
        self.going_on = going_on
        self.fails, self.seen, self.closed = fails, list[tuple[int, dict[str, float]]](), False

    def log(self, values: Mapping[str, float], step: int) -> None:
        if self.fails == "log" and step > 7:
            raise OSError("no route to host")
        self.seen.append((step, dict(values)))

    def close(self) -> None:
        self.closed = True
        if self.fails == "close":
            raise OSError("no route to host")


def logged(kept: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Logs two epochs of the history and a third one; returns what was said."""

    def begin(results: Path, name: str, step: int) -> Kept:
        if kept.fails == "begin":
            raise OSError("no route to host")
        assert (results, name, step) == (tmp_path, "gru-1", 14)
        return kept

    monkeypatch.setitem(trackers._TRACKERS, Logger.wandb, begin)
    said: list[str] = []
    with tracked(Logger.wandb, tmp_path / "runs" / "gru-1", ROWS[:2], said.append) as log:
        log(ROWS[2])
    return said


def test_the_history_comes_first_then_each_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = Kept()
    assert logged(kept, monkeypatch, tmp_path) == [] and kept.closed
    assert kept.seen == [
        (7, {"train/loss": 10.0, "sparsity/recurrent": 0.1}),
        (14, {"train/loss": 5.0, "sparsity/recurrent": 0.2}),
        (21, {"train/loss": 10.0 / 3, "sparsity/recurrent": pytest.approx(0.3)}),
    ]


@pytest.mark.parametrize(("fails", "seen"), [("begin", 0), ("log", 1), ("close", 3)])
def test_a_tracker_that_fails_is_reported_once_and_left_out(
    fails: str, seen: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = Kept(fails)
    (said,) = logged(kept, monkeypatch, tmp_path)
    assert said.startswith("warning: logger=wandb: no route to host; the training goes on without it")
    assert len(kept.seen) == seen and kept.closed == (fails != "begin")


def test_a_tracker_that_holds_the_earlier_epochs_gets_the_new_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = Kept(going_on=True)
    assert logged(kept, monkeypatch, tmp_path) == []
    assert [step for step, _ in kept.seen] == [21]


def test_without_a_tracker_nothing_is_made(tmp_path: Path) -> None:
    with tracked(Logger.none, tmp_path / "runs" / "gru-1", ROWS, print) as log:
        log(ROWS[0])
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"logger=mlflow: mlflow is not installed; pip install 'prune-rnn\[mlflow\]'"):
        Logger.mlflow.check()
    Logger.none.check()


def test_tensorboard_shows_each_epoch_once_after_a_resumption(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = tmp_path / "runs" / "gru-1"
    beside = {"gradient_norm": 2.0}  # what no history holds
    for history, rows in (((), ROWS), (ROWS[:1], ROWS[1:2]), (ROWS[:2], ROWS[2:])):  # two epochs are trained again
        with tracked(Logger.tensorboard, folder, history, pytest.fail) as log:
            for row in rows:
                log(row | beside)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard" / "gru-1"))
    events.Reload()
    found = [(each.step, round(each.value, 4)) for each in events.Scalars("train/loss")]
    assert found == [(7, 10.0), (14, 5.0), (21, 3.3333)]
    assert [each.step for each in events.Scalars("gradient_norm")] == [7, 14, 21]


@pytest.mark.slow
def test_the_command_line_leaves_events_beside_the_runs(tiny: list[str], tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from prune_rnn.config.config import compose_config
    from prune_rnn.train.experiment import experiment

    run = experiment(compose_config([*tiny, "model=gru_sparse", "prune.sparsity=0.3", "logger=tensorboard"]), "")
    assert (
        run.folder == experiment(compose_config([*tiny, "model=gru_sparse", "prune.sparsity=0.3"]), "").folder
    )  # no part of its identity
    events = accumulator.EventAccumulator(str(tmp_path / "results" / "tensorboard" / run.folder.name))
    events.Reload()
    names = {"train/loss", "dev/cer", "sparsity/recurrent", "learning_rate", "gradient_norm", "speech_seconds_a_second"}
    assert names <= set(events.Tags()["scalars"])
    rows = (run.folder / "history.csv").read_text().splitlines()
    assert len(events.Scalars("dev/cer")) == len(rows) - 1
    assert events.Scalars("gradient_norm")[-1].value > 0
