"""The commands: what their help says, and what they make of a wrong command line."""

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from prune_rnn.bench.plan import BenchOptions
from prune_rnn.cli.group import KeysCommand, cli
from prune_rnn.deploy.evaluate import EvaluateOptions
from prune_rnn.deploy.export import ExportOptions
from prune_rnn.deploy.transcribe import TranscribeOptions
from prune_rnn.engine.quantise import Dtype

Command = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = list(cli.commands)


def test_help_lists_the_commands(command: Command) -> None:
    for words in ([], ["-h"], ["--help"]):
        lines = command(*words, check=True).stdout.splitlines()
        for name in COMMANDS:
            assert any(line.split()[:1] == [name] and len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_fits_and_names_its_keys(command: Command, name: str) -> None:
    done = command(name, "--help", check=True)
    assert done.stdout.startswith(f"Usage: prune-rnn {name} ") and not done.stderr
    assert ("[KEY=VALUE]..." in done.stdout) == ("Keys" in done.stdout) == isinstance(cli.commands[name], KeysCommand)
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["trian"], 2, "prune-rnn: No such command 'trian'; did you mean 'train'?"),
        (["prune"], 2, "No such command 'prune'; see `prune-rnn --help`"),
        (["--verson"], 2, "No such option '--verson'; did you mean '--version'?"),
        (["train", "--multirum"], 2, "prune-rnn train: No such option '--multirum'; did you mean '--multirun'?"),
        (["train", "--model", "gru_sparse"], 2, "No such option '--model'; write model=..."),
        (["describe", "--scale=smoke"], 2, "No such option '--scale'; write scale=..."),
        (["train", "model=gru_spars"], 2, "model=gru_spars: did you mean 'gru_sparse'?"),
        (["train", "gru_sparse"], 2, "'gru_sparse' is not of the form KEY=VALUE; write model=gru_sparse"),
        (
            ["train", "-m", "mdel=gru_dense,gru_sparse"],
            2,
            "mdel=gru_dense: no such key; did you mean 'model'?",
        ),
        (["describe", "model.units=-1"], 2, "model.units=-1: must be 1 or more"),
        (["report", "scale=smal"], 2, "scale=smal: did you mean 'small'?"),
        (["train", "device=cuda:99"], 2, "device=cuda:99: torch finds "),
        (["train", "model.units=100000"], 2, "model.units=100000: training 160,0"),
        (["train", "model=gru_sparse", "prune.sparsity=0.99"], 2, "prune.sparsity=0.99 (of the model"),
        (
            ["report", "data=manifest", "data.skip_bad=maybe"],
            2,
            "data.skip_bad=maybe: 'maybe' is neither true nor false",
        ),
        (["train", "--cfg", "all"], 2, "'--cfg': 'all' is not"),
        (["train", "-m", "--cfg", "job", "seed=0,1"], 2, "--cfg shows one run: leave out -m"),
        (["report", "--table", "nope"], 2, "--table nope: there is no such table; give one of table3"),
        (["export", "x", "--dtype", "fp32"], 2, "'--dtype': 'fp32' is not one of 'float32', 'bfloat16', 'int8'"),
        (["export", "x", "dtype=int8"], 2, "dtype=int8: options begin with dashes; write --dtype int8"),
        (["export"], 2, "Missing argument 'RUN|FILE'"),
        (["transcribe", "m", "f", "jobs=2"], 2, "jobs=2: options begin with dashes; write --jobs 2"),
        (["transcribe", "m", "f", "--jobs"], 2, "Option '--jobs' requires an argument"),
        (["transcribe", "m", "f", "--threads=two"], 2, "'--threads': 'two' is not a valid integer range"),
        (["transcribe", "--steam", "a", "b"], 2, "No such option '--steam'; did you mean '--stream'?"),
        (["evaluate", "run"], 2, "Missing argument 'MANIFEST'"),
        (["runs", "model"], 2, "Got unexpected extra argument (model)"),
        (["runs", "--results=nowhere"], 1, "nowhere/runs: no such folder"),
        (["bench", "--streams=1,1"], 2, "streams=[1, 1]: names one of them more than once"),
        (["bench", "--streams=1,x"], 2, "'--streams': 'x' is not a valid integer"),
        (["bench", "--workloads=layr"], 2, "workloads: 'layr': did you mean 'layer'?"),
        (["completion", "tcsh"], 2, "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
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


def test_every_type_of_weights_can_be_exported() -> None:
    (dtype,) = [param.type for param in cli.commands["export"].params if param.name == "dtype"]
    assert isinstance(dtype, click.Choice) and [Dtype[name] for name in dtype.choices] == list(Dtype)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bench", BenchOptions),
        ("evaluate", EvaluateOptions),
        ("export", ExportOptions),
        ("transcribe", TranscribeOptions),
    ],
)
def test_the_defaults_are_those_of_python(name: str, kind: type) -> None:
    words = [name.upper() for param in cli.commands[name].params if isinstance(param, click.Argument)]
    given = cli.commands[name].make_context(name, words).params
    for field in dataclasses.fields(kind):
        expected = getattr(kind(), field.name)
        assert given[field.name] == (expected.name if isinstance(expected, Dtype) else expected)


def test_a_file_that_looks_like_an_option_is_a_file(command: Command, tmp_path: Path) -> None:
    for name in ("m", "jobs=2"):
        (tmp_path / name).write_text("")
    done = command("transcribe", "m", "jobs=2")
    assert done.returncode == 1 and "m is damaged or no packed network" in done.stderr


def test_what_hydra_takes_is_handed_on(command: Command) -> None:
    assert "7 units" in command("describe", "model.units=7", check=True).stdout
    command("describe", "++model.units=7", check=True)
    done = command("describe", "+prune.typo=1", "model=gru_sparse")
    assert done.returncode == 2 and "typo" in done.stderr


def test_describe_prints_the_layers(command: Command) -> None:
    assert "115,425,533" in command("describe", "model=gru_dense", "scale=paper", check=True).stdout
