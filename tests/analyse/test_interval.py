"""The intervals, by numbers worked out by hand, by properties, and by how often they hold."""

import math

import numpy as np
import pytest

from prune_rnn.analyse import interval as module
from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.interval import Spread, pooled, relative_interval

NONE = Spread(0.0, 30)


def edits(*counts: int, length: int = 100) -> Edits:
    """Utterances of the same length with so many edits."""
    references = tuple(f"{number}" for number in range(len(counts)))
    return Edits(references, np.array(counts), np.full(len(counts), length))


def test_the_spread_is_pooled_within_settings() -> None:
    """ln: 0 and 2 about 1, 5 and 5 about 5, and one alone: (1 + 1) / 2 degrees of freedom."""
    spread = pooled([[1.0, math.e**2], [math.e**5] * 2, [0.3]])
    assert spread is not None and (spread.deviation, spread.degrees) == (pytest.approx(1.0), 2)
    assert pooled([[0.1], [0.2]]) is None


def test_alike_at_every_speaker_leaves_the_seeds_alone() -> None:
    """1.96 sqrt(0.02^2 (1 / 3 + 1 / 1)) = 0.0453 about ln 2, at a million degrees of freedom."""
    baseline, row = {seed: edits(10, 20, 5) for seed in range(3)}, {7: edits(20, 40, 10)}
    found = relative_interval(baseline, row, Spread(0.02, 10**6))
    ends = [1 - math.exp(math.log(2) + sign * 0.0453) for sign in (1, -1)]
    assert (found.low, found.high) == pytest.approx(ends, abs=0.002) and found.over_seeds


def test_two_speakers_by_hand() -> None:
    """Without the first ln(5 / 10), without the second ln(20 / 10): both ln 2 from their mean, so a deviation of ln 2.

    Student's t of 1 degree of freedom ends at 12.7: ln(25 / 20) +- 12.7 ln 2.
    """
    found = relative_interval({0: edits(10, 10)}, {0: edits(20, 5)}, None)
    assert math.log(1 - found.low) == pytest.approx(math.log(1.25) + 12.7 * math.log(2), rel=0.1)
    assert math.log(1 - found.high) == pytest.approx(math.log(1.25) - 12.7 * math.log(2), rel=0.1)
    assert found.includes_zero and not found.over_seeds


def test_speakers_are_counted_with_all_they_say() -> None:
    speakers = ("m", "f", "m", "f")
    one, two = (Edits(tuple("abcd"), np.array(c), np.full(4, 50), speakers) for c in ([5] * 4, [8, 1, 12, 4]))
    assert relative_interval({0: one}, {0: two}, NONE) == relative_interval({0: edits(10, 10)}, {0: edits(5, 20)}, NONE)


def test_what_is_hard_for_both_cancels_out() -> None:
    random = np.random.default_rng(0)
    hard = random.integers(50, 600, 80)
    both = relative_interval({0: edits(*hard)}, {0: edits(*(hard + 5))}, NONE)
    apart = relative_interval({0: edits(*hard)}, {0: edits(*(random.permutation(hard) + 5))}, NONE)
    assert both.high - both.low < 0.2 * (apart.high - apart.low)


def test_the_same_every_time_and_in_any_order() -> None:
    baseline, row = {2: edits(9, 12, 4), 0: edits(8, 13, 6)}, {9: edits(7, 15, 5)}
    first = relative_interval(baseline, row, Spread(0.02, 4))
    assert first == relative_interval(dict(reversed(baseline.items())), row, Spread(0.02, 4))


def coverage(voices: int, seeds: int) -> float:
    """How often the interval holds the truth, no difference: networks whose log CER varies by 3 % between seeds, and
    by 4 % from voice to voice."""
    random = np.random.default_rng(voices)
    held, repeats = 0, 600
    for _ in range(repeats):
        spread = pooled(np.exp(0.03 * random.standard_normal((12, seeds))))

        def network(of_voices: np.ndarray) -> dict[int, Edits]:
            rates = np.exp(of_voices + 0.03 * random.standard_normal((seeds, 1)))
            return {seed: edits(*np.round(1e5 * rate)) for seed, rate in enumerate(rates)}

        row, baseline = (network(0.04 * random.standard_normal(voices)) for _ in range(2))
        held += relative_interval(baseline, row, spread).includes_zero
    return held / repeats


@pytest.mark.parametrize(("voices", "seeds"), [(4, 3), (30, 3), (8, 2)])
def test_the_intervals_hold_as_often_as_they_say(voices: int, seeds: int) -> None:
    """600 repeats: 95 % within 1.8 points, by two standard deviations."""
    assert 0.932 <= coverage(voices, seeds) <= 0.985  # two sources, each with its own t: on the safe side


def test_another_level_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEVEL", 0.9)
    assert coverage(30, 3) < 0.932


@pytest.mark.parametrize(
    ("baseline", "row", "why"),
    [
        ({0: edits(1, 2)}, {0: edits(1, 2, 3)}, "same utterances"),
        ({0: edits(1, 2)}, {0: Edits(("1", "0"), np.array([1, 2]), np.array([100, 100]))}, "same utterances"),
        ({0: edits(4)}, {0: edits(5)}, "not two speakers"),
        ({0: edits(0, 5)}, {0: edits(1, 1)}, "makes no error"),
    ],
)
def test_what_cannot_be_compared_is_refused(baseline: dict[int, Edits], row: dict[int, Edits], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        relative_interval(baseline, row, NONE)
