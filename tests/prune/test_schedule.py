"""The threshold is the paper's: equation 1 for the slopes, Algorithm 1 for the steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_rnn.prune.schedule import Threshold, start_slope


def threshold(
    q: float = 0.2, start: int = 100, ramp: int = 200, end: int = 400, freq: int = 10, factor: float = 1.5
) -> Threshold:
    theta = start_slope(q, start, ramp, end, freq, factor)
    return Threshold(start_step=start, ramp_step=ramp, end_step=end, freq=freq, theta=theta, phi=factor * theta)


@pytest.mark.parametrize(
    ("arguments", "theta"),
    [
        ((0.2, 100, 200, 400, 10), 0.005),  # 2 * .2 * 10 / (2 * 100 + 3 * 200) = 4 / 800
        ((0.2, 100, 200, 400, 10, 1.5), 0.005),
        ((0.2, 100, 200, 400, 10, 2.0), 0.004),  # 2 / (100 + 2 * 200)
        ((0.2, 100, 200, 400, 10, 1.0), 2 / 300),  # a straight line
        ((0.2, 0, 0, 400, 10), 2 / 600),  # no first part
        ((0.2, 0, 400, 400, 10), 2 / 400),  # no second part
        ((0.4, 100, 200, 400, 10), 0.01),
    ],
)
def test_equation_1_by_hand(arguments: tuple[float, int, int, int, int], theta: float) -> None:
    assert start_slope(*arguments) == pytest.approx(theta)


@pytest.mark.parametrize(
    ("step", "epsilon"),
    [
        (110, 0.0055),  # .005 * 11 / 10
        (190, 0.0455),  # .005 * 91 / 10
        (199, 0.05),  # the last step before the ramp
        (200, 0.05125),  # (.005 * 101 + .0075 * 1) / 10: the ramp's first
        (210, 0.05875),  # (.005 * 101 + .0075 * 11) / 10
        (390, 0.19375),  # (.005 * 101 + .0075 * 191) / 10
        (400, 0.20125),  # q + (.005 + .0075) / 10: what the two "+1" add
    ],
)
def test_algorithm_1_by_hand(step: int, epsilon: float) -> None:
    assert threshold().at(step) == pytest.approx(epsilon)


@pytest.mark.parametrize(
    ("step", "updates"),
    [
        *((step, False) for step in (0, 90, 100, 101, 109, 111, 399, 400, 410)),
        *((step, True) for step in (110, 200, 390)),
    ],
)
def test_masks_change_every_freq_steps_strictly_between_start_and_end(step: int, updates: bool) -> None:
    assert threshold().updates_at(step) is updates


@pytest.mark.parametrize("freq", [1, 3, 10, 100])
def test_steps_count_from_zero_and_not_from_the_start(freq: int) -> None:
    schedule = threshold(freq=freq)
    assert [s for s in range(500) if schedule.updates_at(s)] == [s for s in range(101, 400) if s % freq == 0]


@pytest.mark.parametrize(
    ("end", "freq", "last"), [(400, 10, 390), (401, 10, 400), (405, 10, 400), (400, 1, 399), (400, 7, 399)]
)
def test_last_update_is_the_last_one(end: int, freq: int, last: int) -> None:
    schedule = threshold(end=end, freq=freq)
    assert schedule.last_update == last == max(s for s in range(end + 100) if schedule.updates_at(s))


STEPS = st.integers(1, 10_000)


@given(
    q=st.floats(1e-4, 10), start=st.integers(0, 10_000), first=STEPS, second=STEPS, freq=st.integers(1, 100),
    factor=st.floats(0.5, 4),
)  # fmt: skip
def test_the_threshold_reaches_q_at_the_end_but_for_the_plus_ones(
    q: float, start: int, first: int, second: int, freq: int, factor: float
) -> None:
    end = start + first + second
    theta = start_slope(q, start, start + first, end, freq, factor)
    schedule = threshold(q, start, start + first, end, freq, factor)
    assert schedule.at(end) == pytest.approx(q + (1 + factor) * theta / freq)


@given(st.integers(1, 500), st.integers(1, 500), st.floats(1, 3))
def test_the_threshold_never_falls(first: int, second: int, factor: float) -> None:
    schedule = threshold(1.0, 10, 10 + first, 11 + first + second, 1, factor)
    values = [schedule.at(step) for step in range(11, 12 + first + second)]
    assert values == sorted(values)
    assert values[0] > 0


def test_with_phi_twice_theta_the_20_epoch_heuristics_overshoot_q_by_a_fifth() -> None:
    """55,000 steps: epoch 2 starts at 2,750, a quarter is 13,750, half 27,500. theta assumes phi = 1.5 theta, so the
    end is at (11,000 + 2 * 13,750) / (11,000 + 1.5 * 13,750) = 38,500 / 31,625 = 1.217 q."""
    start, ramp, end, freq = 2750, 13750, 27500, 100
    theta = start_slope(1.0, start, ramp, end, freq)
    doubled = Threshold(start_step=start, ramp_step=ramp, end_step=end, freq=freq, theta=theta, phi=2 * theta)
    assert doubled.at(end) == pytest.approx(1.217, abs=5e-4)
    planned = threshold(1.0, start, ramp, end, freq, 2.0)  # but a theta made for phi = 2 theta arrives
    assert planned.at(end) == pytest.approx(1, abs=5e-4)


@pytest.mark.parametrize("step", [200, 300, 600, 800])
def test_freq_cancels_out(step: int) -> None:
    values = [threshold(start=100, ramp=400, end=900, freq=freq).at(step) for freq in (1, 10, 50, 100)]
    assert values == pytest.approx(values[:1] * 4)


@pytest.mark.parametrize(("ramp", "factor"), [(100, 1e-9), (200, 1.5), (390, 4.0), (400, 1.5)])
@pytest.mark.parametrize("freq", [1, 7, 10, 99])
def test_the_cap_is_never_passed(ramp: int, factor: float, freq: int) -> None:
    theta = start_slope(0.2, 100, ramp, 400, freq, factor)
    capped = Threshold(
        start_step=100, ramp_step=ramp, end_step=400, freq=freq, theta=theta, phi=factor * theta, cap=0.2
    )
    assert max(capped.at(step) for step in range(101, 400) if capped.updates_at(step)) <= 0.2
