"""The command line: what it prints, its exit codes, and what a signal or a closed pipe does to it."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn import __version__
from prune_rnn.cli.process import INTERRUPTED
from prune_rnn.config.config import compose_config
from prune_rnn.engine import compiled
from prune_rnn.native import library
from prune_rnn.run.resolve import run_of

Command = Callable[..., subprocess.CompletedProcess[str]]
Process = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize(
    "words", [[], ["train", "--help"], ["export", "--help"], ["trian"], ["train", "--multirum"], ["completion", "bash"]]
)
def test_what_needs_no_torch_does_not_load_it(process: Process, words: list[str]) -> None:
    code = "import sys; from prune_rnn.cli import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    out, _ = process(*words, code=code).communicate(timeout=60)
    assert out.endswith("False\n")


def test_the_version_tells_of_the_engine(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    version, engine = command("--version", check=True).stdout.splitlines()
    assert version == __version__
    if sets := compiled.instruction_sets():
        assert engine.startswith("engine: compiled for plain") and f"; {sets[0].name} serves on this" in engine
    monkeypatch.setattr(library, "built", lambda: None)
    _, engine = command("--version", check=True).stdout.splitlines()
    assert engine.startswith("engine: not compiled") and "torch CSR serves" in engine


def test_the_version_takes_no_torch(process: Process) -> None:
    code = "import sys; from prune_rnn.native import library; print(library.describe()); print('torch' in sys.modules)"
    out, _ = process(code=code).communicate(timeout=60)
    assert out.startswith("engine: ") and out.endswith("False\n")


@pytest.mark.slow
@pytest.mark.parametrize("word", ["seed=x", "device=cuda:99"])
def test_of_the_processes_of_torchrun_one_tells(process: Process, word: str) -> None:
    errors = []
    for rank in ("0", "1"):
        started = process("train", word, TORCHELASTIC_RUN_ID="x", RANK=rank)
        errors.append(started.communicate(timeout=60)[1])
        assert started.returncode == 2
    assert errors[0].count("\n") == 1 and errors[1] == ""


def test_a_closed_output_is_no_error(process: Process) -> None:
    code = "import sys; sys.stdout = None\nfrom prune_rnn.cli import main; main()"
    started = process("describe", code=code)
    out, errors = started.communicate(timeout=60)
    assert (started.returncode, out, errors) == (0, "", "")


def test_the_main_job(command: Command, tiny: list[str], tmp_path: Path) -> None:
    words = ["train", "model=gru_sparse", "prune.sparsity=0.4", *tiny]
    first = command(*words, check=True)
    assert "epoch 2/2" in first.stderr and "dev CER" in first.stderr and "pruned recurrent" in first.stderr
    assert "test CER" in first.stdout and "scale" in first.stdout
    second = command(*words, check=True)
    assert "is already finished" in second.stderr and second.stdout == first.stdout
    (run,) = (tmp_path / "results" / "runs").iterdir()
    assert json.loads((run / "result.json").read_text())["command"].startswith(
        "prune-rnn train model=gru_sparse prune.sparsity=0.4 data="
    )


def test_sigterm_saves_and_the_same_command_goes_on(process: Process, tiny: list[str], tmp_path: Path) -> None:
    started = process("train", *tiny, "train.epochs=500")
    runs = tmp_path / "results" / "runs"
    deadline = time.monotonic() + 60
    while not list(runs.glob("*/history.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    started.send_signal(signal.SIGTERM)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == INTERRUPTED and "the same command goes on" in errors
    (run,) = runs.iterdir()
    assert (run / "checkpoint.pt").is_file() and not (run / "result.json").exists()


def test_what_can_not_go_on_says_only_that_it_was_interrupted(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prune_rnn.analyse.layers.describe", interrupted)
    done = command("describe")
    assert (done.returncode, done.stderr) == (130, "prune-rnn: interrupted\n")


def test_a_closed_pipe_is_no_traceback(process: Process) -> None:
    started = process("--help", PYTHONUNBUFFERED="")
    assert started.stdout is not None
    started.stdout.close()
    started.stdout = None
    _, errors = started.communicate(timeout=60)
    assert (started.returncode, errors) == (1, "")


def test_a_run_under_way_refuses_a_second_process(process: Process, tiny: list[str]) -> None:
    run = run_of(compose_config(tiny))
    with run.lock():
        second = process("train", *tiny)
        _, errors = second.communicate(timeout=60)
    assert second.returncode == 1 and "is being trained by another process" in errors


def test_a_training_that_fails_before_its_first_step_is_no_damaged_run(
    command: Command, tiny: list[str], tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text("{}\n")
    words = ["train", *tiny, "data.train=bad.jsonl"]
    assert command(*words).returncode == 1
    assert command("runs", check=True).stdout == "results/runs holds no runs\n"
    assert "damaged" not in command("verify").stdout.replace("0 damaged", "")
    again = command(*words)
    assert "bad.jsonl" in again.stderr and "cut off" not in again.stderr
    with run_of(compose_config([*tiny, "data.train=bad.jsonl"])).lock():  # as while it reads its data
        assert "being trained" in command("runs").stdout
        assert "damaged" not in command("verify").stdout.replace("0 damaged", "")


def test_a_file_in_place_of_the_results_folder_is_named(command: Command, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command("train", *tiny, f"results={tmp_path / 'file'}")
    assert done.returncode == 1 and f"{tmp_path / 'file'}" in done.stderr
