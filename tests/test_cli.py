"""The command line: what it prints, its exit codes, and what a signal or a closed pipe does to it."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn import __version__
from prune_rnn.cli import INTERRUPTED
from prune_rnn.config import compose_config
from prune_rnn.engine import native
from prune_rnn.native import library
from prune_rnn.run.resolve import run_of

Command = Callable[..., subprocess.CompletedProcess[str]]
Process = Callable[..., "subprocess.Popen[str]"]
COMMANDS = ["train", "runs", "report", "describe", "export", "verify", "transcribe", "evaluate", "bench"]


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["report", "--help"], ["trian"], ["train", "--multirum"], ["completion", "bash"]]
)
def test_what_needs_no_torch_does_not_load_it(process: Process, words: list[str]) -> None:
    code = "import sys; from prune_rnn.cli import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    out, _ = process(*words, code=code).communicate(timeout=60)
    assert out.endswith("False\n")


def test_help_lists_the_commands(command: Command) -> None:
    for words in ([], ["-h"], ["--help"]):
        lines = command(*words, check=True).stdout.splitlines()
        for name in [*COMMANDS, "completion"]:
            assert any(line.split()[:1] == [name] and len(line.split()) > 3 for line in lines)


def test_the_version_tells_of_the_engine(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    version, engine = command("--version", check=True).stdout.splitlines()
    assert version == __version__
    if sets := native.instruction_sets():
        assert engine.startswith("engine: compiled for plain") and f"; {sets[0].name} serves on this" in engine
    monkeypatch.setattr(library, "built", lambda: None)
    _, engine = command("--version", check=True).stdout.splitlines()
    assert engine.startswith("engine: not compiled") and "torch CSR serves" in engine


def test_the_version_takes_no_torch(process: Callable) -> None:
    code = "import sys; from prune_rnn.native import library; print(library.describe()); print('torch' in sys.modules)"
    out, _ = process(code=code).communicate(timeout=60)
    assert out.startswith("engine: ") and out.endswith("False\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_fits_and_names_its_keys(command: Command, name: str) -> None:
    done = command(name, "--help", check=True)
    assert done.stdout.startswith(f"usage: prune-rnn {name} ") and not done.stderr
    assert "KEY=VALUE" in done.stdout and "Keys" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["trian"], 2, "unknown command 'trian'; did you mean 'train'?"),
        (["--verson"], 2, "unknown option --verson; did you mean '--version'?"),
        (["train", "--multirum"], 2, "unknown option --multirum; did you mean '--multirun'?"),
        (["train", "model=gru_spars"], 2, "model=gru_spars: did you mean 'gru_sparse'?"),
        (["train", "model=GRU_sparse"], 2, "model=GRU_sparse: did you mean 'gru_sparse'?"),
        (["train", "gru_sparse"], 2, "'gru_sparse' is not of the form KEY=VALUE; did you mean model=gru_sparse?"),
        (["train", "gru"], 2, "'gru' is not of the form KEY=VALUE\n"),
        (["train", "--model", "gru_sparse"], 2, "unknown option --model; did you mean model=gru_sparse?"),
        (["describe", "--scale=smoke"], 2, "unknown option --scale=smoke; did you mean scale=smoke?"),
        (["transcribe", "m", "f", "--jobs"], 2, "unknown option --jobs; did you mean jobs=...?"),
        (["train", "-m", "mdel=gru_dense,gru_sparse"], 2, "mdel: no such key; did you mean 'model'?"),
        (["describe", "model.units=-1"], 2, "model.units=-1: must be 1 or more"),
        (["report", "scale=smal"], 2, "scale=smal: did you mean 'small'?"),
        (["train", "device=cuda:99"], 2, "device=cuda:99: torch finds "),
        (["train", "model.units=100000"], 2, "model.units=100000: training 160,0"),
        (["train", "model=gru_sparse", "prune.sparsity=0.99"], 2, "prune.sparsity=0.99: of "),
        (["export", "x", "dtype="], 2, "dtype=: has no value; choose one of float32, bfloat16, int8"),
        (
            ["transcribe", "m", "a=b.wav"],
            2,
            "a: no such key (if it is a file, write ./a=b.wav); choose one of threads, jobs\n",
        ),
        (["transcribe", "m", "f", "stream=true"], 2, "; did you mean --stream?"),
        (["transcribe", "m", "-"], 2, "prune-rnn transcribe: standard input is not read; give a file\n"),
        (["transcribe", "m", "f", "threads=two"], 2, "threads=two: must be a whole number\n"),
        (["evaluate", "m", "f", "skip_bad=maybe"], 2, "skip_bad=maybe: must be true or false\n"),
        (["report", "data=manifest", "data.skip_bad=maybe"], 2, "data.skip_bad=maybe: must be true or false\n"),
        (["runs", "scale=smoke"], 2, "scale: no such key; choose one of results\n"),
        (["bench", "scale=smoke"], 2, "scale: no such key; choose one of workloads"),
        (["export", "x", "dtype=fp32"], 2, "dtype=fp32: choose one of float32, bfloat16, int8\n"),
        (["bench", "workloads=product"], 2, "workloads=product: is no list; give a list, such as workloads=[product]"),
        (["bench", "streams=[1,1]"], 2, "streams=[1, 1]: names one of them more than once"),
        (["export"], 2, "give one RUN"),
        (["train", "--cfg", "all"], 2, "invalid choice: 'all'"),
        (["train", "-m", "--cfg", "job", "seed=0,1"], 2, "--cfg shows one run: leave out -m"),
        (["runs", "model"], 2, "'model' is not of the form KEY=VALUE"),
        (["runs", "results=nowhere"], 1, "nowhere/runs: no such folder"),
        (["evaluate", "run"], 2, "give a MODEL (a run's folder or a packed file) and one MANIFEST"),
        (["completion", "fish"], 2, "give one SHELL, of: bash, zsh"),
        (["transcribe", "--steam", "a", "b"], 2, "unknown option --steam; did you mean '--stream'?"),
        (["bench", "quick"], 2, "'quick' is not of the form KEY=VALUE"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_a_code(
    command: Command, words: list[str], code: int, message: str
) -> None:
    done = command(*words)
    assert done.returncode == code and message in done.stderr and done.stderr.count("\n") == 1


def test_a_key_given_twice_is_warned_of(command: Command) -> None:
    done = command("describe", "seed=1", "model=gru_dense", "seed=2", check=True)
    assert done.stderr == "prune-rnn: warning: seed is given more than once; seed=2 counts\n"


@pytest.mark.slow
@pytest.mark.parametrize("word", ["seed=x", "device=cuda:99"])
def test_of_the_processes_of_torchrun_one_tells(process: Process, word: str) -> None:
    told = []
    for rank in ("0", "1"):
        started = process("train", word, TORCHELASTIC_RUN_ID="x", RANK=rank)
        told.append(started.communicate(timeout=60)[1])
        assert started.returncode == 2
    assert told[0].count("\n") == 1 and told[1] == ""


def test_a_closed_output_is_no_error(process: Process) -> None:
    code = "import sys; sys.stdout = None\nfrom prune_rnn.cli import main; main()"
    started = process("describe", code=code)
    out, errors = started.communicate(timeout=60)
    assert (started.returncode, out, errors) == (0, "", "")


def test_a_file_whose_name_has_an_equals_sign_is_a_file(command: Command, tmp_path: Path) -> None:
    for name in ("m", "a=b.wav"):
        (tmp_path / name).write_text("")
    done = command("transcribe", "m", "a=b.wav")
    assert done.returncode == 1 and "m is not a packed network" in done.stderr


def test_what_hydra_takes_is_handed_on(command: Command) -> None:
    assert "7 units" in command("describe", "model.units=7", check=True).stdout
    command("describe", "++model.units=7", check=True)
    done = command("describe", "+prune.typo=1", "model=gru_sparse")
    assert done.returncode == 2 and "typo" in done.stderr


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


def test_sigterm_saves_and_the_same_command_goes_on(process: Process, tiny: list[str], tmp_path: Path) -> None:
    started = process("train", *tiny, "train.epochs=500")
    runs = tmp_path / "results" / "runs"
    deadline = time.monotonic() + 60
    while not list(runs.glob("*/history.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    started.send_signal(signal.SIGTERM)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == INTERRUPTED and "the same command goes on from here" in errors
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


def test_describe_prints_the_layers(command: Command) -> None:
    assert "115,425,533" in command("describe", "model=gru_dense", "scale=paper", check=True).stdout
