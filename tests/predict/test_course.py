"""The sparsity over the epochs is the schedule's."""

from pathlib import Path

import pytest

from prune_rnn.config.config import compose_config
from prune_rnn.predict.amount import amount
from prune_rnn.predict.course import Course, course
from prune_rnn.predict.predict import predict
from prune_rnn.run.resolve import resolve
from prune_rnn.source.load import start_of
from prune_rnn.usage import UsageError


@pytest.fixture
def start(sparse_start: Path) -> list[str]:
    return ["model=gru_sparse", "scale=smoke", "model.lookahead=7", f"init={sparse_start}"]


def of(*overrides: str) -> Course:
    config, source = resolve(compose_config(overrides))
    steps = amount(config).steps
    assert steps is not None
    return course(config, source, steps, start_of(config))


def test_a_stated_sparsity_is_reached_at_the_end() -> None:
    """Half of 343,273 parameters, of 328,832 that can be pruned: 0.52196."""
    found = of("model=gru_sparse", "prune.sparsity=0.5")
    assert found.exact and found.prunable == found.end["recurrent"] == pytest.approx(0.52196, abs=1e-5)
    for values in found.by_epoch.values():
        assert values[0] == 0 and values == sorted(values) and len(values) == 20 and values[9] == values[-1]


def test_zhu_and_guptas_curve_is_exact() -> None:
    """From epoch 1 to 10, after epoch 4: the last of 27 updates an epoch is at step 795 of 800."""
    found = of("model=gru_sparse", "prune=cubic", "prune.prunable_sparsity=0.8", "prune.updates_per_epoch=10")
    assert found.by_epoch["linear"][3] == pytest.approx(0.8 * (1 - (1 - 600 / 1800) ** 3), abs=0.01)


def test_hard_pruning_is_a_step_and_a_dense_network_has_no_course() -> None:
    values = of("model=rnn_sparse", "prune=hard", "prune.epoch=7").by_epoch["recurrent"]
    assert values[5] == 0 and values[6] == values[-1] > 0.9
    assert of("model=rnn_dense") == Course({}, {}, 0.0, True, 0.0)


def test_fixed_keeps_the_zeros_of_the_network_it_starts_from(start: list[str], tmp_path: Path) -> None:
    found = of(*start, "prune=fixed", "model.units=24")
    assert found.end == {"recurrent": 0.75, "linear": 0.0} and found.exact and 0 < found.prunable < 0.75
    assert found.by_epoch["recurrent"] == [0.75] * len(found.by_epoch["linear"])
    text = predict([*start, "prune=fixed", "model.units=24", f"results={tmp_path}"], quick=True)
    assert "stays zero: 75.0 % of recurrent, 0.0 % of linear" in " ".join(text.split())
    with pytest.raises(UsageError, match=r"model.units is 24 there and 16 here"):
        of(*start, "prune=fixed", "model.units=16")


def test_zeros_of_the_network_it_starts_from_stay(start: list[str], tmp_path: Path) -> None:
    """Three quarters of the recurrent weights are zero: a goal of a half is passed from the first epoch on."""
    words = [*start, "model.units=24", "prune.prunable_sparsity=0.5"]
    found = of(*words)
    assert set(found.by_epoch["recurrent"]) == {0.75} and found.end["linear"] == 0.5 and 0.5 < found.prunable < 0.75
    assert set(of(*words, "prune.regrow=true").end.values()) == {0.5}
    text = " ".join(predict([*words, f"results={tmp_path}"], quick=True).split())
    assert "of the recurrent weights 75.0 % are zero and stay zero, more than the goal of 50.0 %" in text


@pytest.mark.parametrize(
    ("model", "q", "pruned"),
    [
        ("gru_sparse", "{recurrent: 0.1224, linear: 0.2536}", 0.9232),  # gru_sparse-98276e977d
        ("rnn_sparse", "{recurrent: 0.1677, linear: 0.2014}", 0.9109),  # rnn_sparse-687211022f
    ],
)
def test_the_papers_q_ends_where_it_did(model: str, q: str, pruned: float) -> None:
    """Two runs that no distribution was fitted to: within 1.5 points."""
    found = of(f"model={model}", "prune.sparsity=null", f"prune.q={q}")
    assert found.prunable == pytest.approx(pruned, abs=0.015)
    for layer_type, values in found.by_epoch.items():
        assert values == sorted(values) and values[9] == values[-1] == found.end[layer_type] and values[8] < values[9]


def test_steps_outside_of_the_runs_make_it_less_sure() -> None:
    q = ["model=gru_sparse", "prune.sparsity=null", "prune.q={recurrent: 0.1155, linear: 0.2456}"]
    usual, many = of(*q), of(*q, "train.steps_per_epoch=2000")
    assert many.log_density > 2 * usual.log_density and many.prunable == pytest.approx(usual.prunable, abs=0.01)


def test_a_stated_magnitude_gives_an_uncertain_sparsity() -> None:
    """About what the calibrated run of this goal (92.5 %) had as thresholds before its end."""
    found = of("model=gru_sparse", "prune.sparsity=null", "prune.q={recurrent: 0.1155, linear: 0.2456}")
    assert not found.exact and found.prunable == pytest.approx(0.925, abs=0.05) and found.log_density > 0.1
    greater = of("model=gru_sparse", "prune.sparsity=null", "prune.q={recurrent: 0.2, linear: 0.2456}")
    assert greater.prunable > found.prunable
