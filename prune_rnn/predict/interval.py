"""The predicted CER with its interval: jackknife+ in log CER.

Each network is left out in turn. The law of all others predicts it, and the error is measured in standard deviations of
that prediction. Then each of these laws predicts the new network, widened by its own error. The interval lies
between quantiles of these ends. Where a law is unsure (sizes or densities outside of the runs, other speech, a new
method) its standard deviations are larger, and so is the interval.

Source: Barber et al. 2021, "Predictive inference with the jackknife+", equation 1.3, with studentised errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from prune_rnn.predict.law import Law, fit, without
from prune_rnn.predict.networks import Network
from prune_rnn.predict.setting import Setting
from prune_rnn.predict.spread import Spread

LEVEL = 0.9
_VAGUE = 3.0  # times the lower end
FEWEST = 20  # networks, so that a tenth of them says something


@dataclass(frozen=True, slots=True)
class Expected:
    """The CER to expect of a run: the median, and the ends of the 90 % interval.

    Fractions of at most 1, the CER of a network that has learned nothing and writes nothing.
    """

    cer: float
    low: float
    high: float

    @property
    def vague(self) -> bool:
        """Whether the interval is too wide to be of use, as for speech that no network was trained on."""
        return self.high > _VAGUE * self.low


def by_networks(networks: Sequence[Network]) -> Expectation:
    """Returns the expectation by some networks, worked out once. ValueError where there are too few."""
    return _expectation(tuple(networks))


@cache
def _expectation(networks: tuple[Network, ...]) -> Expectation:
    return Expectation(networks)


class Expectation:
    """The law of some networks, and the laws of all of them but one. ValueError where there are too few."""

    def __init__(self, networks: Sequence[Network]) -> None:
        if len(networks) < FEWEST:
            raise ValueError(
                f"{len(networks)} networks: an interval takes {FEWEST}; reinstall, networks.csv is cut off"
            )
        self.networks = list(networks)
        self.spread = Spread(networks)
        self.law = fit(networks)

    @cached_property
    def judged(self) -> list[tuple[Law, float]]:
        """The law without each network, and its error for that network, in standard deviations."""
        found = []
        for network in self.networks:
            law = fit(without(self.networks, network.setting.key), self.law)
            mean, deviation = law.predict(network.setting)
            own = math.hypot(deviation, self.spread.of(network.setting) / math.sqrt(network.seeds))
            found.append((law, abs(mean - network.log_cer) / own))
        return found

    def of(self, setting: Setting, runs: int = 1, further: float = 0.0) -> Expected:
        """Returns the CER to expect of the mean of so many runs.

        further: a standard deviation of log CER on top, for what is unknown of the setting itself.
        """
        seeds = self.spread.of(setting)
        low, high = [], []
        for law, error in self.judged:
            mean, deviation = law.predict(setting)
            reach = error * math.sqrt(deviation**2 + seeds**2 / runs + further**2)
            low.append(mean - reach)
            high.append(mean + reach)
        rank = min(math.ceil(LEVEL * (len(low) + 1)), len(low)) - 1  # of n numbers in order, from 0
        middle = self.law.predict(setting)[0]
        ends = np.sort(low)[::-1][rank], np.sort(high)[rank]
        return Expected(*(min(1.0, math.exp(each)) for each in (middle, min(middle, ends[0]), max(middle, ends[1]))))

    def left_out(self, setting: Setting) -> Expectation:
        """Returns the expectation of all other networks."""
        others = without(self.networks, setting.key)
        return self if len(others) == len(self.networks) else by_networks(others)
