"""The command line, as processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.cli import INTERRUPTED

Command = Callable[..., subprocess.CompletedProcess[str]]
TORCHLESS = "import sys; from prune_rnn.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"


@pytest.mark.parametrize("words", [[], ["--help"], ["train", "--help"], ["report", "--help"], ["describe", "-h"]])
def test_help_explains_without_loading_torch(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", TORCHLESS, *words], capture_output=True, text=True, check=True)
    assert "prune-rnn train" in done.stdout or "usage" in done.stdout
    if words[:1] == ["train"]:
        assert "gru_sparse_big" in done.stdout and "paper, small, smoke" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["trian"], 2, "unknown word 'trian'; did you mean 'train'?"),
        (["train", "--multirum"], 2, "unknown option --multirum; did you mean '--multirun'?"),
        (["train", "model=gru_spars"], 1, "model=gru_spars: did you mean 'gru_sparse'?"),
        (["train", "-m", "mdel=gru_dense,gru_sparse"], 1, "mdel: no such key; did you mean 'model'?"),
        (["describe", "model.units=-1"], 1, "model.units=-1: must be 1 or more"),
        (["report", "scale=smal"], 1, "scale=smal: did you mean 'small'?"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_a_code(
    command: Command, words: list[str], code: int, message: str
) -> None:
    done = command(*words)
    assert done.returncode == code and message in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_main_job(command: Command, tiny: list[str], tmp_path: Path) -> None:
    words = ["train", "model=gru_sparse", "prune.sparsity=0.4", *tiny]
    first = command(*words, check=True)
    assert "epoch 2/2" in first.stderr and "dev CER" in first.stderr and "sparsity" in first.stderr
    assert "test CER" in first.stdout and "scale" in first.stdout
    second = command(*words, check=True)
    assert "is already finished" in second.stderr and second.stdout == first.stdout
    (run,) = (tmp_path / "results" / "runs").iterdir()
    assert json.loads((run / "result.json").read_text())["command"].startswith(
        "prune-rnn train model=gru_sparse prune.sparsity=0.4 data="
    )


def test_sigterm_saves_and_the_same_command_goes_on(tiny: list[str], tmp_path: Path) -> None:
    words = [sys.executable, "-c", "from prune_rnn.cli import main; main()", "train", *tiny, "train.epochs=500"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
    runs = tmp_path / "results" / "runs"
    deadline = time.monotonic() + 60
    while not list(runs.glob("*/history.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED and "the same command goes on from here" in errors
    (run,) = runs.iterdir()
    assert (run / "checkpoint.pt").is_file() and not (run / "result.json").exists()


def test_a_run_under_way_refuses_a_second_process(command: Command, tiny: list[str]) -> None:
    from prune_rnn.config import compose_config
    from prune_rnn.run.resolve import run_of

    run = run_of(compose_config(tiny))
    with run.lock():
        done = command("train", *tiny)
    assert done.returncode == 1 and "is being trained by another process" in done.stderr
    assert command("train", *tiny).returncode == 0


def test_a_file_in_place_of_the_results_folder_is_named(command: Command, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command("train", *tiny, f"results={tmp_path / 'file'}")
    assert done.returncode == 1 and f"{tmp_path / 'file'}" in done.stderr and "Traceback" not in done.stderr


def test_describe_prints_the_layers(command: Command) -> None:
    assert "115,425,533" in command("describe", "model=gru_dense", "scale=paper", check=True).stdout
