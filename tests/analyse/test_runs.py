"""`prune-rnn runs`: every state of a run, and a damaged one is a line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.run.record import recorded
from prune_rnn.run.store import Run


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Run]:
    """Makes a run that is begun and no more."""

    def begun(name: str, *overrides: str) -> Run:
        run = Run(paths.runs(tmp_path / "results") / name)
        run.write_config(recorded(compose_config(["scale=smoke", *overrides]), ""))
        return run

    return begun


def lines(command: Callable) -> dict[str, list[str]]:
    """The words of each run's line, by the run's name."""
    table = command("runs", check=True).stdout.splitlines()
    return {words[0]: words[1:] for words in map(str.split, table[2:])}


def test_every_state_is_reported(command: Callable, make: Callable[..., Run], result_of: Callable) -> None:
    make("b-2", "model=gru_dense", "seed=1").finish(result_of(train_seconds=90.0))
    trained = make("b-1", "model=gru_dense")
    trained.finish(result_of())
    (trained.folder / "model-int8.safetensors").touch()
    cut_off = make("a-1", "model=rnn_dense")
    cut_off.write_history([{"epoch": 1, "seconds": 30.0}, {"epoch": 2, "seconds": 42.0}])
    trained = make("a-2", "model=rnn_dense", "seed=1", "train.epochs=15")
    with trained.lock():
        found = lines(command)
    assert list(found) == ["b-1", "b-2", "a-1", "a-2"]  # by model, then seed
    assert found["b-1"] == ["gru_dense", "smoke", "0", "25.00", "25.0", "17.0", "finished"]
    assert found["b-2"] == ["gru_dense", "smoke", "1", "25.00", "25.0", "1.5", "finished,", "without", "weights"]
    assert found["a-1"] == ["rnn_dense", "smoke", "0", "1.2", "cut", "off", "at", "epoch", "2", "of", "4"]
    assert " ".join(found["a-2"]) == "rnn_dense smoke 1 0.0 being trained, 0 of 15 epochs done train.epochs=15"


def test_a_damaged_run_is_a_line_that_says_why(
    command: Callable, make: Callable[..., Run], result_of: Callable, tmp_path: Path
) -> None:
    make("fine").finish(result_of())
    whole = make("whole")
    whole.write_history([{"epoch": 1, "seconds": 30.0}])
    whole.finish(result_of())
    (whole.folder / paths.HISTORY).write_text("epoch,seconds\n1,31.0\n")
    make("result").finish(result_of())
    (paths.runs(tmp_path / "results") / "result" / paths.RESULT).write_text("{")
    (make("lost").folder / "model.pt").touch()
    (make("history").folder / paths.HISTORY).write_bytes(b"epoch,seconds\n\xff,1\n")
    (make("header").folder / paths.HISTORY).write_text("epoch,seconds\n")
    (make("config").folder / paths.CONFIG).write_text("a: [b")
    (paths.runs(tmp_path / "results") / "empty").mkdir()
    found = {name: " ".join(words) for name, words in lines(command).items()}
    assert found["fine"].endswith("finished, without weights")
    assert "damaged: history.csv is damaged (its checksum is not" in found["whole"]
    assert found["lost"].endswith("damaged: result.json is missing")
    assert "damaged: result.json is damaged" in found["result"] and "smoke" in found["result"]
    assert "damaged: history.csv is damaged" in found["history"]
    assert "history.csv is damaged (ValueError: it has no whole epoch)" in found["header"]
    assert "damaged: config.yaml is missing or damaged" in found["config"]
    assert "damaged: config.yaml is missing or damaged" in found["empty"]
    assert list(found)[-2:] == ["config", "empty"]


def test_runs_are_distinguished_by_what_was_set(
    command: Callable, make: Callable[..., Run], result_of: Callable
) -> None:
    """What follows from it, as the units from the width, is left out, and so is what other columns show."""
    make("a", "model=gru_sparse", "train.epochs=8", "prune.start_epoch=2", "prune.sparsity=0.5").finish(result_of())
    make("b", "model=gru_dense", "scale.width=0.1", "model.activation=tanh", "data.seed=3", "seed=7")
    make("c", "model=gru_dense", "prune=gradual", "prune.prunable_sparsity=0.25", "train.clip=null")
    make("d", "model=gru_sparse").finish(result_of())
    found = {name: " ".join(words) for name, words in lines(command).items()}
    assert found["a"].endswith(" finished, without weights train.epochs=8 prune.start_epoch=2.0")
    assert found["b"].endswith(" of 4 scale.width=0.1 model.activation=tanh data.seed=3")
    assert found["c"].endswith(" of 4 prune=gradual train.clip=null prune.prunable_sparsity=0.25")
    assert found["d"].endswith(" finished, without weights")


def test_the_last_column_is_not_cut(command: Callable, make: Callable[..., Run]) -> None:
    reason = "x" * 300
    (make("config").folder / paths.CONFIG).write_text(f"{reason}: 1")
    assert reason in " ".join(lines(command)["config"])


def test_a_run_that_still_reads_its_data_is_being_trained(command: Callable, tmp_path: Path) -> None:
    with Run(paths.runs(tmp_path / "results") / "early").lock():
        assert lines(command)["early"] == ["being", "trained"]


def test_a_long_name_keeps_its_digest(command: Callable, make: Callable[..., Run]) -> None:
    make(f"{'long' * 20}-0123456789", f"name={'long' * 20}")
    (name,) = lines(command)
    assert len(name) == 36 and name.endswith("-0123456789")


def test_no_runs_is_said(command: Callable, tmp_path: Path) -> None:
    paths.runs(tmp_path / "results").mkdir(parents=True)
    assert command("runs", check=True).stdout == "results/runs holds no runs\n"
