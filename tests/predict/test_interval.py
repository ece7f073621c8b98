"""Intervals hold what they promise, and widen where less is known."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from prune_rnn.predict.interval import by_networks
from prune_rnn.predict.networks import Network, shipped
from prune_rnn.predict.setting import Setting


def test_nine_tenths_of_new_networks_lie_inside(lawful: list[Network]) -> None:
    """Thirty networks with noise of 4 %, more than the seeds' own; the same, with other noise."""
    random = np.random.default_rng(0)
    inside = []
    for _ in range(4):
        expectation = by_networks([replace(n, log_cer=n.log_cer + random.normal(0, 0.04)) for n in lawful])
        for network in lawful:
            expected = expectation.of(network.setting)
            measured = np.exp(network.log_cer + random.normal(0, 0.04, 10))
            inside.append(np.mean((expected.low <= measured) & (measured <= expected.high)))
    assert 0.85 <= np.mean(inside) <= 0.95


def test_it_is_wider_for_one_run_than_for_three_and_outside_of_the_networks(
    lawful: list[Network], place: Callable[..., Setting]
) -> None:
    expectation = by_networks(lawful)

    def width(size: float, runs: int, further: float = 0.0) -> float:
        expected = expectation.of(place(size), runs, further)
        assert expected.low <= expected.cer <= expected.high and not expected.vague
        return expected.high / expected.low

    assert width(1, 3) < width(1, 1) < width(40, 1) and width(1, 1) < width(1, 1, 0.1)


def test_too_few_networks(lawful: list[Network]) -> None:
    with pytest.raises(ValueError, match=r"3 networks: an interval takes 20"):
        by_networks(lawful[:3])


def test_what_comes_with_the_package_is_calibrated() -> None:
    """Every sixth network, left out: most lie inside, none is off by more than a fifth."""
    expectation = by_networks(shipped())
    inside, off = [], []
    for network in list(shipped())[::6]:
        expected = expectation.left_out(network.setting).of(network.setting, network.seeds)
        inside.append(expected.low <= math.exp(network.log_cer) <= expected.high)
        off.append(abs(expected.cer / math.exp(network.log_cer) - 1))
    assert np.mean(inside) >= 0.75 and np.median(off) < 0.03 and max(off) < 0.2
