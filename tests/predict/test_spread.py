"""Seeds of little speech lie further apart than those of much."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from prune_rnn.predict.networks import Network
from prune_rnn.predict.setting import Setting
from prune_rnn.predict.spread import OTHER_DATA, SEEDS, Spread


def test_it_is_pooled(lawful: list[Network]) -> None:
    """Of two seeds 0.1 apart each from their mean (variance 0.02), and three of variance 0.005: (0.02 + 0.01) / 3."""
    two = replace(lawful[0], deviation=math.sqrt(0.02), runs=("a", "b"))
    three = replace(lawful[1], deviation=math.sqrt(0.005), runs=("c", "d", "e"))
    assert Spread([two, three, lawful[2]]).of(lawful[2].setting) == pytest.approx(0.1)
    assert Spread(lawful).of(lawful[0].setting) == pytest.approx(SEEDS)


def test_other_data_has_its_own(lawful: list[Network], place: Callable[..., Setting]) -> None:
    """Three seeds of variance 0.04 beside a guess of two degrees of freedom: (2 x 0.01 + 2 x 0.04) / 4."""
    spanish = {"data": "manifest", "kin": "es", "recipe": "es"}
    assert Spread(lawful).of(place(**spanish)) == pytest.approx(OTHER_DATA)
    own = replace(lawful[0], setting=place(**spanish), deviation=0.2, runs=("a", "b", "c"))
    spread = Spread([*lawful, own])
    assert spread.of(place(**spanish)) == pytest.approx(math.sqrt(0.025))
    assert spread.of(lawful[0].setting) == pytest.approx(SEEDS)
