"""Places on the frontier, worked out by hand."""

import math

import numpy as np
import pytest

from prune_rnn.analyse.frontier import Network, comparisons
from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.interval import Spread

NONE = Spread(0.0, 2)


def network(nonzero: int, dense: bool, edits: int, reference: str = "r") -> Network:
    """Two speakers of 100 characters, with equal edits: no resample differs from another."""
    return Network(nonzero, dense, Edits((reference, "s"), np.array([edits] * 2), np.array([100] * 2), ("a", "b")))


def test_at_equal_size_and_at_equal_error() -> None:
    """Dense: 100 parameters make 40 %, 10,000 make 20 %: in their logarithm, 1,000 make 30 %.

    Pruned, 1,000 make 25 %: better by 5 of 30. A dense network of 25 % has 10 ** 3.5 parameters.
    """
    small, large, pruned = network(100, True, 40), network(10_000, True, 20), network(1_000, False, 25)
    first, second, own = comparisons([large, small, pruned], 0, NONE)
    assert first.baseline is None and first.at_size is None and first.larger is None
    assert second.baseline is not None and second.baseline.relative == pytest.approx(-1.0)
    assert own.at_size is not None and own.at_size.relative == pytest.approx(1 / 6)
    assert (own.at_size.interval.low, own.at_size.interval.high) == pytest.approx((1 / 6, 1 / 6))
    assert own.larger == pytest.approx(10**0.5)


def test_outside_of_the_dense_networks_nothing_is_compared() -> None:
    dense = [network(100, True, 40), network(200, True, 30)]
    tiny, good = comparisons([*dense, network(50, False, 35), network(150, False, 10)], None, NONE)[2:]
    assert tiny.baseline is None and tiny.at_size is None and tiny.larger is not None
    assert good.at_size is not None and good.larger is None
    assert comparisons([], None, NONE) == [] and comparisons([network(50, False, 35)], 0, NONE)[0].at_size is None


def test_other_utterances_are_refused() -> None:
    with pytest.raises(ValueError, match="not tested on the same utterances"):
        comparisons([network(1, True, 1), network(2, True, 1, "other")], 0, NONE)


def test_the_spread_of_seeds_counts_for_each_network() -> None:
    """Against the baseline two networks vary; at equal size half of each of two dense ones: 1 + 1/4 + 1/4 of one."""
    networks = [network(10_000, True, 20), network(100, True, 40), network(1_000, False, 25)]
    own = comparisons(networks, 0, Spread(0.01, 10**6))[2]
    assert own.baseline is not None and own.at_size is not None
    for gain, variance in ((own.baseline, 2.0), (own.at_size, 1.5)):
        half = math.log((1 - gain.interval.low) / (1 - gain.interval.high)) / 2
        assert half == pytest.approx(1.96 * 0.01 * variance**0.5, rel=0.03)
