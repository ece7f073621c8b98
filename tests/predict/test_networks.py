"""Runs become networks, one for each setting, and none counts twice."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.finished import read
from prune_rnn.predict.networks import as_csv, known, of_runs, shipped
from prune_rnn.run.store import Run


def test_seeds_are_one_network(fabricate: Callable[..., Run], tmp_path: Path) -> None:
    """5 and 6 wrong of 22: the geometric mean, and the deviation of two logarithms."""
    runs = [fabricate("gru_dense", f"seed={seed}", "model.units=64", edits=[5 + seed]) for seed in (0, 1)]
    fabricate("gru_dense", "model.units=32", edits=[7])
    (network,) = of_runs([read(run) for run in runs])
    assert math.exp(network.log_cer) == pytest.approx(math.sqrt(30) / 22) and network.seeds == 2
    assert network.deviation == pytest.approx(math.log(6 / 5) / math.sqrt(2))
    assert network.setting.method == "none" and network.setting.density == 1 and network.setting.hours_heard == 50
    assert len(known(tmp_path / "results")) == len(shipped()) + 2


def test_a_run_that_comes_with_the_package_counts_once(fabricate: Callable[..., Run], tmp_path: Path) -> None:
    fabricate("gru_dense")
    assert known(tmp_path / "results") == list(shipped())


def test_csv_holds_all_of_a_network() -> None:
    assert as_csv(shipped()).splitlines()[1:] == as_csv(list(reversed(shipped()))).splitlines()[1:]
    first = as_csv(shipped()).splitlines()
    assert len(first) == len(shipped()) + 1 and first[0].startswith("cell,units,") and first[0].endswith(",runs")


def test_settings_of_other_training_are_others(fabricate: Callable[..., Run]) -> None:
    def key(*overrides: str) -> tuple[object, ...]:
        return of_runs([read(fabricate("gru_dense", *overrides))])[0].setting.key

    one = key()
    assert one == key("seed=1") == key("train.precision=float32", "seed=2")
    others = ("train.steps_per_epoch=3", "train.learning_rate=0.1", "model.units=30", "data.train_hours=1")
    assert len({one, *(key(each) for each in others)}) == 5


def test_variant_is_what_a_method_sets_otherwise(fabricate: Callable[..., Run]) -> None:
    def variant(*overrides: str) -> str:
        return of_runs([read(fabricate("gru_sparse", *overrides))])[0].setting.variant

    assert variant() == variant("prune.start_epoch=2", "prune.sparsity=0.5") == variant("prune=hard") == ""
    assert variant("prune.regrow=true", "prune.ramp_factor=1") == "ramp_factor=1.0 regrow=True"
    assert variant("prune=nm", "prune.n=1", "prune.m=13") == "m=13 n=1"
    assert variant("prune.sparsity=0.4", "prune.layers={recurrent:[recurrent.*.recurrent.weight]}").startswith(
        "layers="
    )
