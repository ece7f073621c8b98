"""The sparsity over the epochs is the schedule's."""

import pytest

from prune_rnn.config import compose_config
from prune_rnn.predict.course import Course, course, steps_per_epoch
from prune_rnn.run.resolve import resolve


def of(*overrides: str) -> Course:
    config, source = resolve(compose_config(overrides))
    steps = steps_per_epoch(config)
    assert steps is not None
    return course(config, source, steps)


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


def test_a_stated_magnitude_gives_an_uncertain_sparsity() -> None:
    """About what the calibrated run of this goal (92.5 %) had as thresholds before its end."""
    found = of("model=gru_sparse", "prune.sparsity=null", "prune.q={recurrent: 0.1155, linear: 0.2456}")
    assert not found.exact and found.prunable == pytest.approx(0.925, abs=0.05) and found.log_density > 0.1
    greater = of("model=gru_sparse", "prune.sparsity=null", "prune.q={recurrent: 0.2, linear: 0.2456}")
    assert greater.prunable > found.prunable


def test_steps_of_an_epoch() -> None:
    """15 h of 3.75 s in batches of 12: 1200."""
    assert steps_per_epoch(compose_config([])) == 200
    assert steps_per_epoch(compose_config(["train.steps_per_epoch=null"])) == 1200
