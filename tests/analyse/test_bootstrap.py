"""The bootstrap's intervals, by properties and by numbers worked out by hand."""

import numpy as np
import pytest

from prune_rnn.analyse.bootstrap import Interval, relative_interval
from prune_rnn.analyse.hypotheses import Edits


def edits(*counts: int, length: int = 100) -> Edits:
    """Utterances of the same length with so many edits."""
    references = tuple(f"{number}" for number in range(len(counts)))
    return Edits(references, np.array(counts), np.full(len(counts), length))


def noisy(seed: int, shift: int = 0) -> Edits:
    return edits(*(np.random.default_rng(seed).integers(5, 60, 80) + shift))


def test_identical_systems_differ_by_nothing() -> None:
    runs = {0: noisy(0), 1: noisy(1)}
    interval = relative_interval(runs, runs)
    assert interval == Interval(0.0, 0.0, (0, 1)) and interval.includes_zero


def test_twice_the_errors_everywhere_is_minus_one() -> None:
    """Each resample has twice the edits, so (b - 2 b) / b = -1 without any spread."""
    baseline = {0: edits(10, 20, 5), 1: edits(7, 9, 30)}
    twice = {seed: Edits(e.references, 2 * e.counts, e.lengths) for seed, e in baseline.items()}
    interval = relative_interval(baseline, twice)
    assert (interval.low, interval.high) == (-1.0, -1.0) and not interval.includes_zero


def test_uniformly_worse_lies_below_zero_and_better_above() -> None:
    assert relative_interval({0: noisy(0)}, {0: noisy(0, 3)}).high < 0
    assert relative_interval({0: noisy(0, 3)}, {0: noisy(0)}).low > 0


def test_two_utterances_by_hand() -> None:
    """A resample holds the first one twice, the second one twice (a quarter of the time each), or both.

    Relative performance: 1 - 40 / 20 = -1, 1 - 10 / 20 = 0.5, and 1 - 25 / 20 = -0.25;
    the outer two have more than 2.5 % each, so they are the ends of the middle 95 %.
    """
    interval = relative_interval({0: edits(10, 10)}, {0: edits(20, 5)})
    assert (interval.low, interval.high) == pytest.approx((-1.0, 0.5)) and interval.includes_zero


def test_speakers_are_drawn_with_all_they_say() -> None:
    """Two speakers, two utterances each: as two utterances of their sums, 1 - 40 / 20, 1 - 10 / 20 and 1 - 25 / 20."""
    speakers = ("m", "f", "m", "f")
    told = [
        Edits(("a", "b", "c", "d"), np.array(counts), np.full(4, 50), speakers) for counts in ([5] * 4, [8, 1, 12, 4])
    ]
    interval = relative_interval({0: told[0]}, {0: told[1]})
    assert (interval.low, interval.high) == pytest.approx((-1.0, 0.5))


def test_long_utterances_weigh_more() -> None:
    """The CER is of the sums: one edit in 10 characters and one in 990 make 0.2 %, whatever each one's own rate."""
    lengths = np.array([10, 990])
    both = Edits(("a", "b"), np.array([1, 1]), lengths)
    worse = Edits(("a", "b"), np.array([1, 3]), lengths)
    interval = relative_interval({0: both}, {0: worse})  # 1 - 2/2, 1 - 6/2, 1 - 4/2
    assert (interval.low, interval.high) == pytest.approx((-2.0, 0.0))


def test_seeds_are_drawn_too() -> None:
    """Every utterance alike, so only seeds vary: (0, 0), (1, 1) or one of each."""
    interval = relative_interval({0: edits(10, 10), 1: edits(10, 10)}, {0: edits(12, 12), 1: edits(8, 8)})
    assert (interval.low, interval.high) == pytest.approx((-0.2, 0.2))


def test_pairing_narrows_the_interval() -> None:
    baseline, row = {0: noisy(0)}, {0: noisy(0, 2)}
    paired, apart = relative_interval(baseline, row), relative_interval(baseline, row, paired=False)
    assert paired.high - paired.low < 0.2 * (apart.high - apart.low)


def test_the_same_every_time_and_seeds_in_both_only() -> None:
    baseline, row = {2: noisy(2), 0: noisy(0), 5: noisy(5)}, {9: noisy(9), 0: noisy(1), 2: noisy(3)}
    first = relative_interval(baseline, row)
    assert first == relative_interval(dict(reversed(baseline.items())), row) and first.seeds == (0, 2)
    assert first == relative_interval({s: baseline[s] for s in (0, 2)}, {s: row[s] for s in (0, 2)})


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({1: edits(1, 2)}, "no seed"),
        ({0: edits(1, 2, 3)}, "same utterances"),
        ({0: Edits(("1", "0"), np.array([1, 2]), np.array([100, 100]))}, "same utterances"),
    ],
)
def test_what_cannot_be_compared_is_refused(row: dict[int, Edits], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        relative_interval({0: edits(1, 2)}, row)


def test_a_baseline_without_errors_has_no_relative_performance() -> None:
    with pytest.raises(ValueError, match="makes no error"):
        relative_interval({0: edits(0, 5)}, {0: edits(1, 1)})
