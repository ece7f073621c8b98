"""A threshold prunes more where weights are smaller: later, wider, higher."""

import math
from dataclasses import replace

import pytest

from prune_rnn.predict.magnitudes import COURSE, END, Magnitudes, Regressors, shipped

PLAIN = Magnitudes(
    "course",
    "gru",
    "recurrent",
    a=math.log(2),
    k=1.0,
    u=0.5,
    s=0.0,
    t=0.0,
    b=-2.0,
    ku=0.0,
    ks=0.0,
    rise=2.0,
    deviation=0.1,
)


def test_sparsity_is_a_weibull_distribution() -> None:
    """At threshold 1/2 and 128 units 1 - e^(-2 / 2); four times the units have half the scale: 1 - e^-2.

    Weights that grew for half of all epochs have e times the scale: 1 - e^(-1 / e).
    """
    given = Regressors(threshold=0.5, units=128, steps=200, time=0.45, begin=0.0)
    assert PLAIN.sparsity(given) == pytest.approx(1 - math.exp(-1))
    assert PLAIN.sparsity(replace(given, units=512)) == pytest.approx(1 - math.exp(-2))
    assert PLAIN.sparsity(replace(given, begin=0.5)) == pytest.approx(1 - math.exp(-1 / math.e))
    assert PLAIN.sparsity(replace(given, threshold=1e9)) == 1 and PLAIN.sparsity(replace(given, threshold=0.0)) < 1e-6


def test_the_shape_changes_with_width_and_steps() -> None:
    """Where a threshold is 0.08 sqrt(128 / units) it does not; at twice that, twice the units square the 2.

    The scale doubles with it (k), and the width's own effect is 1: 2 * 2 * sqrt(1 / 2) * 0.08 = 0.2263.
    """
    given = Regressors(threshold=0.16 / math.sqrt(2), units=256, steps=200, time=0.45, begin=0.0)
    scale = 2 * given.threshold * 2 ** math.log(2)
    assert replace(PLAIN, u=0.0, ku=1.0).sparsity(given) == pytest.approx(1 - math.exp(-scale))
    level = replace(given, threshold=0.08 / math.sqrt(2))
    assert replace(PLAIN, ku=1.0, ks=1.0).sparsity(level) == PLAIN.sparsity(level)
    fewer = replace(given, threshold=0.16, units=128, steps=100)
    assert replace(PLAIN, ks=1.0).sparsity(fewer) == pytest.approx(1 - math.exp(-0.32 * 0.5 ** math.log(2)))


def test_beyond_the_runs_the_shape_stays() -> None:
    given = Regressors(threshold=0.02, units=784, steps=200, time=0.45, begin=0.0)
    far, near = (replace(PLAIN, u=0.5, ku=ku) for ku in (1.0, 0.0))
    beside = math.log(0.02 * math.sqrt(784 / 128) / 0.08)
    assert _double_log(far, given) - _double_log(near, given) == pytest.approx(math.log(392 / 128) * beside)


def _double_log(of: Magnitudes, given: Regressors) -> float:
    return math.log(-math.log1p(-of.sparsity(given)))


def test_on_the_way_to_a_goal() -> None:
    """At half of the magnitude a quarter of log density: 1 - 0.0625^(1/4) = 0.5."""
    assert PLAIN.on_the_way(0.9375, 0.5) == pytest.approx(0.5)
    assert PLAIN.on_the_way(0.9, 1.0) == pytest.approx(0.9) and PLAIN.on_the_way(0.9, 0.0) == 0


def test_an_unknown_cell_is_as_all_others() -> None:
    for part in (COURSE, END):
        assert shipped(part, "lstm2", "recurrent").cell == "any" and shipped(part, "gru", "odd").layer_type == "any"
        assert shipped(part, "gru", "linear").cell == "gru" and shipped(part, "gru", "linear").part == part


def test_calibrated_thresholds_of_a_committed_run_prune_as_they_did() -> None:
    """gru_sparse-0bbe69e734, epoch 8: recurrent 0.0957 had pruned 87.0 %, linear 0.2005 87.4 %."""
    for layer_type, threshold, pruned in (("recurrent", 0.0957, 0.870), ("linear", 0.2005, 0.874)):
        given = Regressors(threshold=threshold, units=128, steps=200, time=7 / 20, begin=1 / 20)
        for part in (COURSE, END):
            assert shipped(part, "gru", layer_type).sparsity(given) == pytest.approx(pruned, abs=0.05)
