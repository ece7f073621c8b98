"""Sweeps: every combination, what is finished skipped, failures named at the end."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
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
    jobs = [line for line in done.stderr.splitlines() if line.startswith("job ")]
    assert jobs == ["job 1 of 2: seed=0", "job 2 of 2: seed=1"]
    rows = [line.split() for line in done.stdout.split("\n\n")[1].splitlines()]
    assert rows[0] == ["job", "test", "CER", "%", "sparsity", "%", "minutes"]
    runs = [json.loads(file.read_text()) for file in (tmp_path / "results" / "runs").glob("*/result.json")]
    for row in rows[2:]:
        (run,) = [run for run in runs if f"seed={run['seed']}" == row[0]]
        minutes = f"{run['train_seconds'] / 60:.1f}"
        assert row[1:] == [f"{100 * run['test']['cer']['rate']:.2f}", "0.0", minutes]


def test_a_combination_that_does_not_compose_is_reported_before_any_is_trained(
    command: Command, tiny: list[str]
) -> None:
    done = command("train", "-m", *tiny, "model.units=4,-1,abc", "seed=0")
    assert done.returncode == 2 and "test CER" not in done.stdout
    error = done.stderr.splitlines()[-1]  # before it, that model.units is given twice
    assert error == "prune-rnn: job 2 of 3: model.units=-1: must be 1 or more; nothing was trained"


def test_a_folder_of_hydras_is_refused_as_it_would_move_no_run(command: Command, tiny: list[str]) -> None:
    for word in ("hydra.sweep.dir=/tmp/x", "++hydra.run.dir=/tmp/x", "hydra.sweep.subdir=x"):
        done = command("train", "-m", *tiny, word, "seed=0,1")
        assert done.returncode == 2 and "does not move the runs; set their folder by results=..." in done.stderr
        assert "test CER" not in done.stdout


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=range(0)", "seed=range(0): gives no value, so there is nothing to train; give one or more"),
        ("seed=range(1,1)", "seed=range(1,1): gives no value, so there is nothing to train; give one or more"),
        ("hydra.sweeper.max_batch_size=0", "hydra.sweeper.max_batch_size=0: must be 1 or more"),
        ("hydra.sweeper.max_batch_size=-1", "hydra.sweeper.max_batch_size=-1: must be 1 or more"),
        ("hydra.sweeper.max_batch_size=a", "('a' is no whole number"),
        ("+hydra.sweeper.params.seed=1", "+hydra.sweeper.params.seed=1: Hydra can't use that"),
        ("hydra.sweeper.params.seed=1", "hydra.sweeper.params.seed=1: Hydra can't use that"),
        ("hydra.sweeper=3", "hydra.sweeper=3: is a group; choose one of its options by hydra/sweeper="),
        ("hydra.launcher=1", "hydra.launcher=1: is a group; choose one of its options by hydra/launcher="),
        (
            "train.learning_rate=interval(0.1,0.2)",
            "interval(0.1,0.2): an interval needs a sweeper that searches; pip install hydra-optuna-sweeper",
        ),
        ("model=glob(*)", "model=glob(*): "),
        (
            "hydra/sweeper=optuna",
            "hydra/sweeper=optuna is not installed; pip install hydra-optuna-sweeper",
        ),
        (
            "hydra/launcher=joblib",
            "hydra/launcher=joblib is not installed; pip install hydra-joblib-launcher",
        ),
        (
            "hydra/launcher=mine",
            "hydra/launcher=mine: Hydra can't use that; correct it, or install the plug-in that brings it",
        ),
    ],
)
def test_what_hydra_can_not_use_is_one_line(command: Command, tiny: list[str], word: str, message: str) -> None:
    done = command("train", "-m", *tiny, word)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and line.startswith("prune-rnn: ") and message in line


class Chooser(Sweeper):
    """As Optuna's: it chooses values by what jobs return, and returns nothing."""

    returned: ClassVar[list[float]] = []

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        launcher = Plugins.instance().instantiate_launcher
        self.launcher = launcher(hydra_context=hydra_context, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> None:
        words = [word for word in arguments if "interval" not in word]
        for number, rate in enumerate((0.001, 0.002)):
            (one,) = self.launcher.launch([[*words, f"train.learning_rate={rate}"]], number)
            self.returned.append(float(one.return_value))


def test_another_sweeper_chooses_its_own_jobs_by_the_dev_cer(
    command: Command, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ConfigStore.instance().store(group="hydra/sweeper", name="chooser", node={"_target_": "hydra_plugins.chooser"})
    monkeypatch.setattr(Plugins, "instantiate_sweeper", lambda self, **context: _set_up(Chooser(), **context))
    Chooser.returned.clear()
    words = ["hydra/sweeper=chooser", "train.learning_rate=interval(0.1,0.2)", "train.epochs=1", "prune=none"]
    done = command("train", "-m", *tiny, *words, check=True)
    assert [line for line in done.stderr.splitlines() if line.startswith("job ")] == [
        "job 1: train.learning_rate=0.001",
        "job 2: train.learning_rate=0.002",
    ]
    runs = [json.loads(file.read_text()) for file in (tmp_path / "results" / "runs").glob("*/result.json")]
    assert sorted(Chooser.returned) == sorted(run["dev"]["cer"] for run in runs) and len(runs) == 2
    assert len(done.stdout.split("\n\n")[1].splitlines()) == 4


def _set_up(sweeper: Chooser, **context: Any) -> Chooser:
    sweeper.setup(**context)
    return sweeper
