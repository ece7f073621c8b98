"""A masker owns what it is given, keeps it at zero, and survives a checkpoint; what it is given is named exactly."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from prune_rnn.prune.keep import Kept, at_sparsity, at_threshold
from prune_rnn.prune.masker import Masker, Rule
from prune_rnn.prune.score import Candidate, magnitude


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

    def ten_times(candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
        return at_threshold(candidates, scores, 10 * amount, last)

    rules = [
        Rule(layer_types=("recurrent",), when=AtTwo(), score=magnitude, keep=ten_times),
        Rule(layer_types=("linear",), when=AtTwo(), score=magnitude, keep=at_threshold),
    ]
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


def two_matrices() -> dict[str, dict[str, nn.Parameter]]:
    return {
        "recurrent": {"a": nn.Parameter(torch.tensor([[1.0, -2.0], [3.0, -4.0]]))},
        "linear": {"b": nn.Parameter(torch.tensor([[0.1, -0.2], [0.3, -0.4]]))},
    }


def test_one_rule_over_all_layer_types_is_global() -> None:
    """Half of 8: all of the small matrix, whose layer type alone would have kept half."""
    rule = Rule(layer_types=("recurrent", "linear"), when=AtTwo(), score=magnitude, keep=at_sparsity)
    masker = Masker(two_matrices(), [rule])
    masker.after_step(2)
    assert masker.sparsity() == {"recurrent": 0, "linear": 1}
    assert masker.thresholds["recurrent"] == masker.thresholds["linear"] == pytest.approx(0.4)


def test_every_layer_type_needs_exactly_one_rule() -> None:
    rule = Rule(layer_types=("recurrent",), when=AtTwo(), score=magnitude, keep=at_sparsity)
    for rules in ([rule], [rule, rule]):
        with pytest.raises(AssertionError):
            Masker(two_matrices(), rules)


def test_a_rule_without_a_threshold_reports_none() -> None:
    def first(candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
        return Kept([torch.ones_like(candidate.mask) for candidate in candidates])

    rules = [
        Rule(layer_types=("recurrent",), when=AtTwo(), score=magnitude, keep=first, threshold=False),
        Rule(layer_types=("linear",), when=AtTwo(), score=magnitude, keep=at_sparsity),
    ]
    masker = Masker(two_matrices(), rules)
    assert masker.thresholds == {"linear": 0}
    masker.after_step(2)
    assert masker.thresholds == {"linear": pytest.approx(0.2)}


def test_a_score_sees_gates_seed_and_the_gradient_before_it_is_masked() -> None:
    seen = []

    def look(of: Candidate) -> Tensor:
        seen.append((of.name, of.gates, of.seed, None if of.gradient is None else of.gradient.tolist()))
        return magnitude(of)

    weights = two_matrices()
    rule = Rule(layer_types=("recurrent", "linear"), when=AtTwo(), score=look, keep=at_sparsity, gradients=True)
    masker = Masker(weights, [rule], seed=7, gates={"a": 2})
    masker.masks["a"][0, 0] = False
    gradient = torch.tensor([[5.0, 6.0], [7.0, 8.0]])
    for step in (1, 2):
        weights["recurrent"]["a"].grad = gradient.clone()
        masker.mask_gradients(step)
        assert weights["recurrent"]["a"].grad.tolist() == [[0, 6], [7, 8]]
        masker.after_step(step)
    assert seen == [("a", 2, 7, gradient.tolist()), ("b", 1, 7, None)]
