"""The shell completes what the command line takes."""

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


@pytest.mark.parametrize(
    ("line", "cut", "expected"),
    [
        ("prune-rnn tr", ["tr"], {"train", "transcribe"}),
        ("prune-rnn train --mu", ["train", "--mu"], {"--multirun"}),
        ("prune-rnn train scale=sm", ["train", "scale", "=", "sm"], {"small", "smoke"}),
        ("prune-rnn train model.un", ["train", "model.un"], {"model.units="}),
        ("prune-rnn describe model.units=8 scal", ["describe", "model.units", "=", "8", "scal"],
         {"scale="} | {f"{key}=" for key in schema_keys() if key.startswith("scale.")}),
        ("prune-rnn transcribe --s", ["transcribe", "--s"], {"--stream"}),
        ("prune-rnn export sc", ["export", "sc"], set()),
        ("prune-rnn train data.train=x", ["train", "data.train", "=", "x"], set()),
    ],
)  # fmt: skip
def test_bash_completes(command: Callable, line: str, cut: list[str], expected: set[str]) -> None:
    """cut: the words as bash cuts the line, after the first."""
    words = " ".join(["prune-rnn", *cut])
    typed = f"COMP_LINE={line!r} COMP_POINT={len(line)} COMP_WORDS=({words}) COMP_CWORD={len(cut)}"
    script = f"{command('completion', 'bash', check=True).stdout}\n{typed}\ncompopt() {{ :; }}\n_prune_rnn"
    bash = ["bash", "--norc", "-c", f"COMP_WORDBREAKS=' ='\n{script}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""]
    done = subprocess.run(bash, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected and not done.stderr
