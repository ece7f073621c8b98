"""Intervals and fractions as tables print them."""

import pytest

from prune_rnn.analyse.interval import Interval
from prune_rnn.report.cells import between, percent


@pytest.mark.parametrize(
    ("interval", "cell"),
    [
        (Interval(-0.02, 0.03, True), "[-2.00, +3.00], includes 0"),
        (Interval(0.0, 0.0, True), "[+0.00, +0.00], includes 0"),
        (Interval(0.01, 0.03, False), "[+1.00, +3.00] †"),
        (Interval(-0.01, 0.03, False), "[-1.00, +3.00], includes 0 †"),
        (None, "-"),
    ],
)
def test_an_interval_says_what_it_lacks(interval: Interval | None, cell: str) -> None:
    assert between(interval) == cell


def test_a_fraction_is_printed_in_percent_and_kept_as_it_is() -> None:
    cell = percent(0.2613, "cer")
    assert cell == "26.13" and cell.values == {"cer": 0.2613} and percent(None, "cer") == "-"
