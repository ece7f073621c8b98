"""A law is found again where networks follow one, and is unsure where there are none."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from prune_rnn.predict.law import effects, fit, without
from prune_rnn.predict.networks import Network
from prune_rnn.predict.setting import Setting

Place = Callable[..., Setting]


def test_a_law_is_found_again(lawful: list[Network], place: Place) -> None:
    """At 8 times the reference and density 1/16: 0.25 (0.7 + 0.3 x 8^-1/2 x 2) = 0.2280."""
    law = fit(lawful)
    assert law["b"] == pytest.approx(0.5, abs=0.08) and law["c"] == pytest.approx(0.25, abs=0.05)
    assert law["floor"] == pytest.approx(0.7, abs=0.03)
    assert math.exp(law.predict(place(8, 1 / 16))[0]) == pytest.approx(0.2280, rel=0.02)


def test_one_network_off_the_law_hardly_moves_it(lawful: list[Network], place: Place) -> None:
    odd = replace(lawful[12], log_cer=lawful[12].log_cer + 0.5)
    moved = fit([*lawful[:12], odd, *lawful[13:]]).predict(place())[0] - fit(lawful).predict(place())[0]
    assert 0 <= moved < 0.02


def test_it_is_less_sure_the_further_a_network_lies_from_all_others(lawful: list[Network], place: Place) -> None:
    law = fit(lawful)
    near, wide, sparse, odd, new, spanish = (
        law.predict(each)[1]
        for each in (
            place(),
            place(40),
            place(1, 0.005),
            place(1, 0.1, method="random"),
            place(recipe="other", kin="other"),
            place(recipe="other", kin="other", data="manifest", hours=None, hours_heard=None),
        )
    )
    assert near < wide and near < sparse and near < odd < new < 0.3 < spanish


def test_a_dense_run_fixes_the_level_of_new_speech(lawful: list[Network], place: Place) -> None:
    """At twice the CER, a pruned network has twice the CER too: the floor is a share of the level."""
    spanish = {"recipe": "es", "kin": "es", "data": "manifest", "hours": None, "hours_heard": None}
    own = Network(setting=place(**spanish), log_cer=math.log(0.5), deviation=None, runs=("own",))
    law = fit([*lawful, own])
    mean, deviation = law.predict(place(1, 0.0625, **spanish))
    assert math.exp(mean) == pytest.approx(2 * 0.25 * (0.7 + 0.3 * 2), rel=0.03) and 0.05 < deviation < 0.15
    sparse = replace(own, setting=place(2, 0.0625, **spanish), log_cer=math.log(0.6), runs=("second",))
    assert fit([*lawful, own, sparse]).predict(place(1, 0.0625, **spanish))[1] < deviation


def test_the_ratio_to_the_dense_network_does_not_hang_on_the_level(lawful: list[Network], place: Place) -> None:
    spanish = {"recipe": "es", "kin": "es", "data": "manifest", "hours": None, "hours_heard": None}
    pruned = place(1, 0.0625, **spanish)
    mean, deviation = fit(lawful).ratio(pruned, pruned.dense())
    assert math.exp(mean) == pytest.approx(0.7 + 0.3 * 2, rel=0.02) and deviation < 0.12


def test_speech_that_is_heard_often_is_worth_less_than_new_speech(place: Place) -> None:
    """15 h heard 50 h are the reference. One hour is never worth more than six, however often it is heard."""
    assert "hours_heard" not in effects(place()) and "hours" not in effects(place())
    worth = 15 * (1 + 5 * (1 - math.exp(-(50 / 15 - 1) / 5)))
    for heard, hours in ((20.0, 20.0), (10.0, 10.0), (1e6, 6.0)):
        given = place(hours=1.0 if heard == 1e6 else heard, hours_heard=heard)
        assert effects(given)["hours_heard"] == pytest.approx(math.log(hours / worth))


def test_effects_of_methods(place: Place) -> None:
    """Hard pruning at epoch 15 of 20: (0.75 - 0.25)^2; a density of 1 % is half of 2 %."""
    assert "late" not in effects(place()) and "late" not in effects(place(1, 0.1))
    assert effects(place(1, 0.1, start=0.25))["late"] == pytest.approx(0.2)
    hard = effects(place(1, 0.01, method="hard", start=0.75))
    assert hard["hard, late"] == pytest.approx(0.25) and hard["deep"] == pytest.approx(math.log(2))
    assert effects(place(1, 0.1, method="nm"))["method nm"] == 1
    assert effects(place(1, 0.1, variant="regrow=True"))["variant gradual regrow=True"] == 1
    assert {"init", "teacher"} & {*effects(place(init=True))} == {"init"}


def test_options_that_no_network_had_widen_the_interval(lawful: list[Network], place: Place) -> None:
    """By the prior: 0.05 of log CER, on top of what is unsure anyway."""
    law = fit(lawful)
    usual, regrowing = (law.predict(place(1, 0.1, variant=each)) for each in ("", "regrow=True"))
    assert regrowing[1] == pytest.approx(math.hypot(usual[1], 0.05))
    assert regrowing[0] - usual[0] == pytest.approx(0.03)


def test_without_a_setting_all_its_networks_are_gone(lawful: list[Network]) -> None:
    again = replace(lawful[0], runs=("again",))
    assert without([*lawful, again], lawful[0].setting.key) == lawful[1:]
