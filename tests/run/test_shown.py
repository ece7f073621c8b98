"""`prune-rnn train --cfg job` shows what would be trained."""

from collections.abc import Callable
from pathlib import Path

import yaml

from prune_rnn.config import compose_config
from prune_rnn.run.resolve import resolve, run_of


def test_the_configuration_is_printed_and_nothing_trained(command: Callable, tiny: list[str], tmp_path: Path) -> None:
    words = ["model=gru_sparse", "prune.sparsity=0.4", "seed=7", *tiny]
    shown = command("train", "--cfg", "job", *words, check=True).stdout
    first, _, text = shown.partition("\n")
    run = run_of(resolve(compose_config(words))[0])
    assert first == f"# {run.folder}" and not (tmp_path / "results").exists()
    values = yaml.safe_load(text)
    assert (values["seed"], values["model"]["units"], values["model"]["cell"]) == (7, 8, "gru")
    assert values["prune"]["sparsity"] is None and values["prune"]["prunable_sparsity"] > 0.4


def test_what_is_printed_names_the_same_run_again(command: Callable) -> None:
    first, *lines = command("train", "--cfg=job", "model=gru_sparse", "scale=smoke", check=True).stdout.splitlines()
    prune = yaml.safe_load("\n".join(lines))["prune"]
    again = [f"prune.{key}={value}" for key, value in prune.items() if isinstance(value, float)]
    assert command("train", "-c", "job", "model=gru_sparse", "scale=smoke", *again).stdout.splitlines()[0] == first
