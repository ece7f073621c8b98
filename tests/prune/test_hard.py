"""Hard pruning: once, to the goal, at its epoch."""

import re
from typing import Any

import pytest
import torch
from torch import nn

from prune_rnn.prune.hard import Hard
from prune_rnn.usage import UsageError


def config(**changes: Any) -> Hard:
    return Hard(**{"epoch": 0.5, "prunable_sparsity": 0.6, "layers": {"linear": ["weight"]}, **changes})


def test_it_prunes_everything_at_one_step() -> None:
    """Half of an epoch of 6 steps is step 3; 0.6 of 5 weights are the 3 smallest."""
    weight = nn.Parameter(torch.tensor([0.3, -0.1, 0.5, -0.4, 0.2]))
    masker = config().masker({"linear": {"w": weight}}, 6)
    kept = []
    for step in range(1, 7):
        masker.after_step(step)
        kept.append([round(value, 3) for value in weight.tolist()])
        assert masker.done(step) is (step >= 3)
    whole = [0.3, -0.1, 0.5, -0.4, 0.2]
    assert kept == [whole, whole, *4 * [[0, 0, 0.5, -0.4, 0]]]
    assert 0.3 < masker.thresholds["linear"] < 0.301  # 0.3 itself goes


def test_what_is_pruned_stays_so() -> None:
    weight = nn.Parameter(torch.tensor([0.3, -0.1, 0.5, -0.4, 0.2]))
    masker = config().masker({"linear": {"w": weight}}, 6)
    masker.after_step(3)
    with torch.no_grad():
        weight.add_(9.0)
    masker.after_step(4)
    assert weight.tolist() == pytest.approx([0, 0, 9.5, 8.6, 0])


class Around:
    """A layer of 40 weights, 4 biases."""

    def network(self) -> nn.Module:
        return nn.Linear(10, 4)


def test_a_parameter_count_is_met() -> None:
    """To keep 24 of 44, 20 of 40 weights go."""
    hard = config(prunable_sparsity=None, parameters=24)
    assert hard.resolve(Around()) == ""  # type: ignore[arg-type]
    assert (hard.prunable_sparsity, hard.sparsity, hard.parameters) == (0.5, None, None)


@pytest.mark.parametrize("count", [0, 4, 44, -1])
def test_a_parameter_count_that_cannot_be_is_refused(count: int) -> None:
    """The 4 biases can't be pruned. The message names the key that was typed, and the exit code is 2."""
    message = f"prune.parameters={count}: must lie between 4, which can't be pruned, and the network's 44"
    with pytest.raises(UsageError, match=re.escape(message)):
        config(prunable_sparsity=None, parameters=count).resolve(Around())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": -1.0}, "prune.epoch=-1.0: must be 0 or more"),
        ({"epoch": 20.0}, "prune.epoch=20.0: must be 0 or more and below train.epochs=20"),
        ({"prunable_sparsity": None}, "prune.sparsity has no value"),
        ({"prunable_sparsity": 1.0}, "prune.prunable_sparsity=1.0: must lie between 0 and 1"),
        ({"parameters": 24}, "prune.prunable_sparsity=0.6 and prune.parameters=24: give one of them"),
    ],
)
def test_a_bad_number_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        config(**changes).check(20)
