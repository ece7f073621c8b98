"""A masker owns what it is given, keeps it at zero, and survives a checkpoint; what it is given is named exactly."""

import pytest
import torch
from torch import nn

from prune_rnn.prune.mask import at_magnitude
from prune_rnn.prune.masker import Masker, Rule


class AtTwo:
    """One update, at step 2, with the amount 0.5."""

    last_update = 2

    def updates_at(self, step: int) -> bool:
        return step == 2

    def at(self, step: int) -> float:
        return 0.5

    def done(self, step: int) -> bool:
        return step >= 2


def scripted(regrow: bool = False) -> Masker:
    """At step 2 the threshold is 10 times the amount, 5, for recurrent weights, and the amount for linear ones."""
    a, b, c = (nn.Parameter(torch.tensor(v)) for v in ([1.0, -9.0], [-2.0, -3.0, 5.0, 6.0], [[6.0], [7.0]]))
    rules = {
        "recurrent": Rule(AtTwo(), lambda weights, amount, _: 10 * amount),
        "linear": Rule(AtTwo(), at_magnitude),
    }
    return Masker({"recurrent": {"a": a, "b": b}, "linear": {"c": c}}, rules, regrow=regrow)


def test_nothing_is_masked_at_first() -> None:
    masker = scripted()
    masker.after_step(1)
    assert masker.sparsity() == {"recurrent": 0, "linear": 0}
    assert masker.thresholds == {"recurrent": 0, "linear": 0}
    assert masker.parameters["b"].tolist() == [-2, -3, 5, 6]


def test_masked_weights_are_zeroed_after_every_step() -> None:
    masker = scripted()
    masker.after_step(2)
    assert masker.sparsity() == {"recurrent": 0.5, "linear": 0}  # 3 of 6
    for step in (3, 4):
        with torch.no_grad():
            for parameter in masker.parameters.values():
                parameter.add_(10)
        masker.after_step(step)
        masker.check()
        assert masker.parameters["a"].tolist()[0] == 0
        assert masker.parameters["b"].tolist()[:2] == [0, 0]
    assert masker.parameters["a"].tolist() == [0, 11]
    assert masker.parameters["c"].tolist() == [[26], [27]]


def test_check_finds_masked_weights_that_are_not_zero() -> None:
    masker = scripted()
    masker.check()
    masker.after_step(2)
    masker.check()
    with torch.no_grad():
        masker.parameters["b"][:2] += 1e-30
    with pytest.raises(AssertionError, match="2 masked weights of b are not zero"):
        masker.check()


def test_check_finds_a_masked_weight_that_is_no_number() -> None:
    masker = scripted()
    masker.after_step(2)
    with torch.no_grad():
        masker.parameters["a"][0] = float("nan")
    with pytest.raises(AssertionError, match="1 masked weights of a"):
        masker.check()


def test_a_saved_state_goes_into_a_fresh_masker(tmp_path) -> None:  # type: ignore[no-untyped-def]
    before, after = scripted(), scripted()
    before.after_step(2)
    torch.save(before.state_dict(), tmp_path / "state")
    after.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert after.sparsity() == before.sparsity()
    assert after.thresholds == {"recurrent": 5, "linear": 0.5}
    assert all(torch.equal(after.masks[name], before.masks[name]) for name in before.masks)
    after.after_step(3)
    assert after.parameters["b"].tolist() == [0, 0, 5, 6]
