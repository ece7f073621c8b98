"""Sweeps: every combination, what is finished skipped, failures named at the end."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_sweep_goes_on_after_a_failed_job_and_names_it(command: Command, tiny: list[str], tmp_path: Path) -> None:
    words = ["train", "-m", *tiny, "train.epochs=1", "model=gru_dense,gru_sparse", "prune=none", "seed=0,1"]
    first = command(*words, "train.learning_rate=1e38,0.001")
    runs = {file.parent.name.rpartition("-")[0] for file in (tmp_path / "results" / "runs").glob("*/result.json")}
    assert first.returncode == 1 and "Traceback" not in first.stderr
    assert runs == {"gru_dense", "gru_sparse"}
    failed = [line for line in first.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 4 and all("train.learning_rate=1e+38" in line and "step 2" in line for line in failed)
    lines = first.stdout.split("\n\n")[1].splitlines()[2:]
    assert sum("failed: " in line for line in lines) == 4 and len(lines) == 8

    second = command(*words, "train.learning_rate=0.001")
    assert second.returncode == 0 and second.stderr.count("is already finished") == 4
    assert second.stdout.count(": test CER") == 4


def test_a_sweep_tells_which_job_it_is_at_and_ends_with_a_table(
    command: Command, tiny: list[str], tmp_path: Path
) -> None:
    done = command("train", "-m", *tiny, "train.epochs=1", "prune=none", "seed=0,1", check=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("job ")]
    assert told == ["job 1 of 2: seed=0", "job 2 of 2: seed=1"]
    rows = [line.split() for line in done.stdout.split("\n\n")[1].splitlines()]
    assert rows[0] == ["job", "test", "CER", "%", "sparsity", "%", "minutes"]
    runs = [json.loads(file.read_text()) for file in (tmp_path / "results" / "runs").glob("*/result.json")]
    for row in rows[2:]:
        (run,) = [run for run in runs if f"seed={run['seed']}" == row[0]]
        minutes = f"{run['train_seconds'] / 60:.1f}"
        assert row[1:] == [f"{100 * run['test']['cer']['rate']:.2f}", "0.0", minutes]


def test_a_combination_that_does_not_compose_is_told_before_any_is_trained(command: Command, tiny: list[str]) -> None:
    done = command("train", "-m", *tiny, "model.units=4,-1,abc", "seed=0")
    assert done.returncode == 2 and "test CER" not in done.stdout
    told = done.stderr.splitlines()[-1]  # before it, that model.units is given twice
    assert told == "prune-rnn: job 2 of 3: model.units=-1: model.units=-1: must be 1 or more; nothing was trained"


def test_a_folder_of_hydras_is_refused_as_it_would_move_no_run(command: Command, tiny: list[str]) -> None:
    for word in ("hydra.sweep.dir=/tmp/x", "++hydra.run.dir=/tmp/x", "hydra.sweep.subdir=x"):
        done = command("train", "-m", *tiny, word, "seed=0,1")
        assert done.returncode == 2 and "moves no run; all of them lie in the folder of results" in done.stderr
        assert "test CER" not in done.stdout
