"""`prune-rnn train --cfg job` shows what would be trained."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from prune_rnn.config.config import compose_config
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.shown import set_otherwise, sparsity


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


def test_a_magnitude_of_each_layer_type_can_be_pasted_and_hides_no_other_key() -> None:
    words = ["prune.q={recurrent:0.2,linear:0.3}", "train.clip=3.0"]
    shown = set_otherwise(recorded(*resolve(compose_config(["model=gru_sparse", *words]))))
    assert shown == words and compose_config(["model=gru_sparse", *shown]).train.clip == 3


@pytest.mark.parametrize("typed", ["prune.sparsity=0.5", "prune.sparsity=0.885", "prune.prunable_sparsity=0.9"])
def test_a_sparsity_is_shown_as_it_was_typed(typed: str) -> None:
    """A run keeps that of the prunable weights, 0.529353 for a typed 0.5."""
    for units in (64, 80, 128):
        config, q_source = resolve(compose_config(["model=gru_sparse", "scale=smoke", f"model.units={units}", typed]))
        assert sparsity(recorded(config, q_source)) == [typed]


@pytest.mark.parametrize("words", [["prune=none"], ["prune.q=0.1"]])
def test_no_sparsity_is_shown_where_none_is_the_goal_or_it_is_the_models(words: list[str]) -> None:
    assert sparsity(recorded(*resolve(compose_config(["model=gru_sparse", *words])))) == []


@pytest.mark.parametrize(
    "words",
    [
        ["train.average=0.99"],
        ["train.speeds=[0.9,1.0,1.1]"],
        ["train.bin_masks=2", "train.bin_mask_width=10"],
        ["model.bidirectional=true"],
        ["scale=digits", "train.speeds=[1.0]"],
        ["scale=digits", "train.frame_masks=0"],
        ["train.epochs=3"],
        [],
    ],
)
def test_keys_that_are_newer_than_some_runs_are_shown_where_they_are_set(words: list[str]) -> None:
    kept = recorded(*resolve(compose_config(["model=gru_dense", *words])))
    assert set_otherwise(kept) == [word for word in words if not word.startswith("scale")]


def test_all_that_a_run_on_manifests_set_is_shown(corpus: list[str]) -> None:
    """Also what stands behind the choice of the data, which doesn't compose without its files."""
    words = ["train.epochs=2", "model.units=16", "train.steps_per_epoch=4"]  # in the order in which they are shown
    text = ["data=manifest", "data.front_end=absolute", "data.skip_bad=true", "data.alphabet=cba", "data.normalise=de"]
    kept = recorded(*resolve(compose_config(["model=gru_dense", *words, *corpus, *text[1:]])))
    assert set_otherwise(kept) == words + text
