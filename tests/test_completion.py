"""The shell completes what the command line takes."""

import shutil
import subprocess
from collections.abc import Callable

import pytest

from prune_rnn import paths
from prune_rnn.completion import keys, options
from prune_rnn.schema import keys as schema_keys

GROUPS = {"scale", "model", "prune", "data", "train"}


def test_the_keys_are_those_of_the_schema() -> None:
    assert set(keys()) == set(schema_keys()) - GROUPS


def test_the_options_are_the_yaml_files() -> None:
    assert {one.partition("=")[0] for one in options()} == GROUPS - {"train"}
    assert [one for one in options() if one.startswith("scale=")] == [f"scale={o}" for o in paths.options("scale")]


LINES = [
    ("prune-rnn tr", ["tr"], {"train", "transcribe"}),
    ("prune-rnn train --mu", ["train", "--mu"], {"--multirun"}),
    ("prune-rnn train scale=sm", ["train", "scale", "=", "sm"], {"small", "smoke"}),
    ("prune-rnn train model.un", ["train", "model.un"], {"model.units="}),
    ("prune-rnn describe model.units=8 scal", ["describe", "model.units", "=", "8", "scal"],
     {"scale="} | {f"{key}=" for key in schema_keys() if key.startswith("scale.")}),
    ("prune-rnn transcribe --s", ["transcribe", "--s"], {"--stream"}),
    ("prune-rnn export sc", ["export", "sc"], set()),
    ("prune-rnn train data.train=x", ["train", "data.train", "=", "x"], set()),
]  # fmt: skip


@pytest.mark.parametrize(("line", "cut", "expected"), LINES)
def test_bash_completes(command: Callable, line: str, cut: list[str], expected: set[str]) -> None:
    """cut: the words as bash cuts the line, after the first."""
    words = " ".join(["prune-rnn", *cut])
    typed = f"COMP_LINE={line!r} COMP_POINT={len(line)} COMP_WORDS=({words}) COMP_CWORD={len(cut)}"
    script = f"{command('completion', 'bash', check=True).stdout}\n{typed}\ncompopt() {{ :; }}\n_prune_rnn"
    bash = ["bash", "--norc", "-c", f"COMP_WORDBREAKS=' ='\n{script}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""]
    done = subprocess.run(bash, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected and not done.stderr


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh on this machine")
@pytest.mark.parametrize(("line", "cut", "expected"), LINES)
def test_zsh_completes(command: Callable, line: str, cut: list[str], expected: set[str]) -> None:
    """What is offered; of it zsh takes what begins as the word does. Behind '=' it goes on with the whole word."""
    words = line.split(" ")
    stubs = "compdef() { :; }; _files() { :; }; compadd() { shown+=(${(P)@[-1]:-$@}); }"
    typed = f"typeset -a shown; words=({line}); CURRENT={len(words)}"
    script = f"{stubs}\n{command('completion', 'zsh', check=True).stdout}\n{typed}\n_prune_rnn; print -l -- $shown"
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True)
    before = f"{words[-1].rpartition('=')[0]}=" if "=" in words[-1] else ""
    found = {word for word in done.stdout.split() if word.startswith(words[-1])}
    assert {word.removeprefix(before) for word in found} == expected and not done.stderr
