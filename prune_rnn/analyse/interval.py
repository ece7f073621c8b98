"""The interval of a relative performance: two sources of variance, seeds and speakers, each with a t distribution.

Three seeds say little about the spread of seeds, so it is pooled over all settings that were trained alike. It is the
spread of log CER, since a relative spread is about the same at any CER. Both networks are tested on the same speakers:
what is hard for both cancels out. The variance over speakers is a jackknife's, which leaves out one speaker at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from prune_rnn.analyse.hypotheses import Edits

LEVEL = 0.95
_DRAWS = 200_000  # leave an end of an interval of five points uncertain by a hundredth
_SEED = 20170417  # of the draws: the same interval every time


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard deviation of log CER over seeds, pooled over settings, and its degrees of freedom."""

    deviation: float
    degrees: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of a relative performance, in fractions. over_seeds: it includes the spread of seeds."""

    low: float
    high: float
    over_seeds: bool

    @property
    def includes_zero(self) -> bool:
        """Whether the data allow no difference at all."""
        return self.low <= 0 <= self.high


def pooled(settings: Iterable[Sequence[float]]) -> Spread | None:
    """Returns the spread over all settings. settings: the CERs of one setting's seeds. None without two seeds of any.

    >>> spread = pooled([[0.2, 0.2 * math.e], [0.3]])
    >>> round(spread.deviation, 4), spread.degrees  # of 0 and 1: sqrt(1 / 2)
    (0.7071, 1)
    """
    squares, degrees = 0.0, 0
    for rates in settings:
        if len(rates) > 1 and min(rates) > 0:
            squares += float(np.var(np.log(rates)) * len(rates))
            degrees += len(rates) - 1
    return Spread(math.sqrt(squares / degrees), degrees) if degrees else None


def relative_interval(baseline: Mapping[int, Edits], row: Mapping[int, Edits], spread: Spread | None) -> Interval:
    """Returns the 95 % interval of (baseline CER - row CER) / baseline CER, from the edits of each seed's run.

    The two sides may have different seeds: networks of unlike shapes have nothing in common at the same seed.

    Raises:
        ValueError: the runs were tested on different utterances, there are not two speakers, or a side makes no error
            without one of the speakers.
    """
    edits = counted([list(baseline.values()), list(row.values())])
    variance = 0.0 if spread is None else spread.deviation**2 * (1 / len(baseline) + 1 / len(row))
    return interval(lambda of: math.log(of[1] / of[0]), edits, variance, spread)


def counted(networks: Sequence[Sequence[Edits]]) -> NDArray[np.float64]:
    """Returns the edits of each network by speaker, means over its runs, (networks, speakers).

    networks: the edits of each network's runs. ValueError where they were tested on different utterances.
    """
    first = networks[0][0]
    if any(run.references != first.references for runs in networks for run in runs):
        raise ValueError("they were not tested on the same utterances in the same order")
    speakers = first.speakers or [str(number) for number in range(len(first.references))]
    return np.array([np.mean([_by_speaker(run.counts, speakers) for run in runs], axis=0) for runs in networks])


def interval(
    log_ratio: Callable[[NDArray[np.float64]], float],
    edits: NDArray[np.float64],
    seed_variance: float,
    spread: Spread | None,
) -> Interval:
    """Returns the 95 % interval of 1 - e^log_ratio.

    log_ratio: of the edits of all networks, (networks,), over the same characters. edits: (networks, speakers).
    seed_variance: of log_ratio, as `spread` has it. ValueError where there are not two speakers, or no errors.
    """
    speakers = edits.shape[1]
    if speakers < 2:
        raise ValueError("there are not two speakers or utterances")
    whole = edits.sum(axis=1)
    without = whole[:, None] - edits  # (networks, speakers)
    if not (without > 0).all():
        raise ValueError("one of them makes no error in all but one speaker: a relative performance has no meaning")
    left = np.array([log_ratio(one) for one in without.T])
    deviation = math.sqrt((speakers - 1) / speakers * float(((left - left.mean()) ** 2).sum()))
    off = deviation * _student(speakers - 1, 0)
    if spread is not None:
        off = off + math.sqrt(seed_variance) * _student(spread.degrees, 1)
    reach = float(np.quantile(np.abs(off), LEVEL))  # on either side: the sum of two t distributions is symmetric
    middle = log_ratio(whole)
    return Interval(-math.expm1(middle + reach), -math.expm1(middle - reach), spread is not None)


@cache
def _student(degrees: int, stream: int) -> NDArray[np.float64]:
    """Returns draws of Student's t."""
    return np.random.default_rng((_SEED, stream)).standard_t(degrees, _DRAWS)


def _by_speaker(counts: NDArray[np.int64], speakers: Sequence[str]) -> NDArray[np.int64]:
    """Returns the sum of the counts of each speaker, in the order of their names; (utterances,) -> (speakers,)."""
    names, whose = np.unique(np.array(speakers), return_inverse=True)
    return np.bincount(whose, weights=counts, minlength=len(names)).astype(np.int64)
