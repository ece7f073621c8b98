"""The shell completes what the command line takes."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from prune_rnn import paths
from prune_rnn.cli.keys import keys

# the line up to the cursor; how bash cuts it, after the first word; what the shell then puts in place of the last cut
LINES = [
    ("tr", ["tr"], {"train", "transcribe"}),
    ("train --mu", ["train", "--mu"], {"--multirun"}),
    ("train scale=sm", ["train", "scale", "=", "sm"], {"small", "smoke"}),
    ("train scale=", ["train", "scale", "="], set(paths.options("scale"))),
    ("train model.un", ["train", "model.un"], {"model.units="}),
    ("describe model.units=8 scal", ["describe", "model.units", "=", "8", "scal"],
     {"scale="} | {f"{key}=" for key in keys() if key.startswith("scale.")}),
    ("transcribe --s", ["transcribe", "--s"], {"--stream"}),
    ("export --dtype in", ["export", "--dtype", "in"], {"int8"}),
    ("export --dtype=in", ["export", "--dtype", "=", "in"], {"int8"}),
    ("export sc", ["export", "sc"], {"<files>"}),
    ("train data.train=x", ["train", "data.train", "=", "x"], {"<files>"}),
]  # fmt: skip


@pytest.fixture
def shell(
    command: Callable[..., subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., set[str]]:
    """Asks for completions as the function of a shell does; returns what is offered."""

    def ask(name: str, words: list[str]) -> set[str]:
        asked = {"_PRUNE_RNN_COMPLETE": f"{name}_complete", "COMP_CWORD": str(len(words) - 1)}
        for key, value in {**asked, "COMP_WORDS": "\n".join(words)}.items():
            monkeypatch.setenv(key, value)
        lines = command(check=True).stdout.splitlines()
        if name == "bash":
            kinds = [tuple(line.split(",", 1)) for line in lines]
        else:
            kinds = list(zip(lines[::3], lines[1::3], strict=True))
        return {"<files>" if kind == "file" else value for kind, value in kinds}

    return ask


@pytest.mark.parametrize(("line", "cut", "expected"), LINES, ids=[line for line, _, _ in LINES])
def test_bash_completes(shell: Callable[..., set[str]], line: str, cut: list[str], expected: set[str]) -> None:
    assert shell("bash", ["prune-rnn", *cut]) == expected
    if "=" not in cut or "--dtype" in cut:
        return
    whole = shell("bash", ["prune-rnn", *line.split(" ")])  # a user may have taken '=' out of COMP_WORDBREAKS
    assert whole == {one if one == "<files>" or cut[-1] == "scal" else f"scale={one}" for one in expected}


@pytest.mark.parametrize(("line", "cut", "expected"), LINES, ids=[line for line, _, _ in LINES])
def test_zsh_completes_whole_words(
    shell: Callable[..., set[str]], line: str, cut: list[str], expected: set[str]
) -> None:
    before = "scale=" if "scale=" in line else ""
    assert shell("zsh", ["prune-rnn", *line.split(" ")]) == {
        one if one == "<files>" else before + one for one in expected
    }


def test_bash_itself_completes(command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: object) -> None:
    """In a real shell: a key is followed by no space, and what follows its '=' is completed."""
    script = command("completion", "bash", check=True).stdout
    tool = f'prune-rnn() {{ {sys.executable} -c "from prune_rnn.cli import main; main()" "$@"; }}'
    code = f"""
{tool}; export -f prune-rnn; env() {{ while [[ $1 == *=* ]]; do local -x "$1"; shift; done; "$@"; }}
{script}
compopt() {{ echo compopt "$@"; }}
COMP_WORDS=(prune-rnn train model.un); COMP_CWORD=2; _prune_rnn_completion prune-rnn; echo "${{COMPREPLY[@]}}"
COMPREPLY=(); COMP_WORDS=(prune-rnn train scale = sm); COMP_CWORD=4
_prune_rnn_completion prune-rnn; echo "${{COMPREPLY[@]}}"
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines() == ["compopt -o nospace", "model.units=", "small smoke"] and not done.stderr
