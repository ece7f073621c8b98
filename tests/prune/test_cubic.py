"""Zhu & Gupta's schedule: fast at first, slowly at last, exactly to the goal."""

import re
from typing import Any

import pytest
import torch
from torch import nn

from prune_rnn.prune.cubic import Cubic


def config(**changes: Any) -> Cubic:
    values = {"start_epoch": 0.1, "end_epoch": 0.5, "updates_per_epoch": 10.0, "prunable_sparsity": 0.8}
    return Cubic(**{**values, "layers": {"linear": ["weight"]}, **changes})


def test_the_sparsity_follows_the_curve() -> None:
    """From step 1 to 5 of 10 an epoch, 0.8 (1 - (1 - k / 4)^3) of 1000 weights: .4625, .7, .7875, .8."""
    weight = nn.Parameter(torch.randn(1000, generator=torch.Generator().manual_seed(0)))
    masker = config().masker({"linear": {"w": weight}}, 10)
    found = []
    for step in range(1, 8):
        masker.after_step(step)
        found.append(round(masker.sparsity()["linear"], 4))
        assert masker.done(step) is (step >= 5)
    assert found == [0, 0.463, 0.7, 0.788, 0.8, 0.8, 0.8]  # to one weight, upwards


def test_the_smallest_go() -> None:
    weight = nn.Parameter(torch.tensor([0.3, -0.1, 0.5, -0.4, 0.2]))
    masker = config().masker({"linear": {"w": weight}}, 10)
    for step in range(1, 6):
        masker.after_step(step)
    assert weight.tolist() == [0, 0, 0.5, 0, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_epoch": 0.5}, "prune.start_epoch=0.5, prune.end_epoch=0.5: must be 0 or more, in rising order"),
        ({"end_epoch": 21.0}, "prune.end_epoch=21.0: must be 0 or more, in rising order, and at most train.epochs=20"),
        ({"updates_per_epoch": 0.0}, "prune.updates_per_epoch=0.0: must be above 0"),
        ({"prunable_sparsity": None}, "prune.sparsity has no value"),
        ({"layers": {}}, "prune.layers={}: give patterns"),
    ],
)
def test_a_bad_number_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        config(**changes).check(20)


def test_a_goal_that_is_open_is_named() -> None:
    """In a loop of one's own, where nothing resolves a sparsity of the whole network."""
    with pytest.raises(ValueError, match=r"prune\.prunable_sparsity is open"):
        config(prunable_sparsity=None, sparsity=0.8).rules(["linear"], 100)


def test_too_few_steps_to_prune_in_are_refused() -> None:
    with pytest.raises(ValueError, match=r"prune\.start_epoch=0\.1 and prune\.end_epoch=0\.5 fall on the same step"):
        config().rules(["linear"], 1)
