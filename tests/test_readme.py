"""The README's commands are commands, and its numbers those of the configuration."""

import re
import shlex
from pathlib import Path

import pytest

from prune_rnn.bench.plan import BenchOptions
from prune_rnn.config import compose_config
from prune_rnn.options import parse

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [line.strip() for line in README.splitlines() if re.match(r"    .*prune.rnn (train|report|describe)", line)]


INFERENCE = [
    line.strip() for line in README.splitlines() if re.match(r"    .*prune.rnn (export|transcribe|bench)", line)
]


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 5 and len(INFERENCE) >= 4


@pytest.mark.parametrize("line", INFERENCE)
def test_every_inference_command_names_what_is_there(line: str) -> None:
    word, *words = shlex.split(line.partition("prune-rnn ")[2], comments=True)
    if word == "bench":
        others, options = parse(words, BenchOptions)
        options.check()
        assert not others
    else:
        flags = [word for word in words if word.startswith("-")]
        target = next(word for word in words if not word.startswith("-"))
        assert flags in ([], ["--stream"]) and (target == "results/runs/RUN" or (ROOT / target).is_file())


@pytest.mark.parametrize("line", [c for c in COMMANDS if "data=manifest" not in c])
def test_every_command_composes(line: str) -> None:
    words = shlex.split(re.split(r"prune.rnn (?:train|report|describe)", line)[1], comments=True)
    for word in (word for word in words if not word.startswith("-")):
        key, _, values = word.partition("=")
        for value in values.split(","):
            compose_config([f"{key}={value}"])


@pytest.mark.parametrize("scale", ["paper", "small", "smoke"])
def test_the_table_of_scales_is_true(scale: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `{scale}`"))
    config = compose_config([f"scale={scale}"])
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2] == str(config.model.conv_channels) and cells[4] == str(config.train.epochs)
    amount, unit = cells[3].split()[:2]
    assert float(amount) * {"h": 1, "min": 1 / 60}[unit] == pytest.approx(config.data.train_hours)
    assert f"{config.model.units}" == f"{round(2560 * config.scale.width)}"
