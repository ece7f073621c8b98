"""Cells that several tables have: fractions in percent, and intervals."""

from __future__ import annotations

from prune_rnn.analyse.interval import Interval
from prune_rnn.report.base import DASH, Cell, number

_SPEAKERS_ONLY = "†"
NOTE_SPEAKERS_ONLY = (
    f"{_SPEAKERS_ONLY} No setting that was trained like this has two seeds: the interval is over speakers only."
)


def between(interval: Interval | None, form: str = "+.2f") -> Cell:
    """Returns the ends in percent, and a mark where zero lies between them, or no spread of seeds is known."""
    if interval is None:
        return Cell(DASH, relative_low=None, relative_high=None)
    text = f"[{100 * interval.low:{form}}, {100 * interval.high:{form}}]"
    text += ", includes 0" if interval.includes_zero else ""
    text += "" if interval.over_seeds else f" {_SPEAKERS_ONLY}"
    return Cell(text, relative_low=interval.low, relative_high=interval.high)


def percent(value: float | None, name: str, form: str = ".2f") -> Cell:
    """Returns a fraction in percent. name: of its column in CSV, which holds the fraction."""
    return number(value, form, name, scale=100)
