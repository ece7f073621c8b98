"""Table 3 as it is printed, cell by cell."""

from dataclasses import fields
from typing import Any

import pytest

from prune_rnn.analyse.bootstrap import Interval
from prune_rnn.analyse.comparison import Line
from prune_rnn.config import compose_config
from prune_rnn.report.table3 import caption, for_terminal, numbers, printed

PAPER = {"cer": 10.67, "parameters": "67 M", "relative": -20.71}


def line(**told: Any) -> Line:
    nothing = dict.fromkeys(field.name for field in fields(Line))
    return Line(**{**nothing, "label": "Sparse", "units": 160, "paper": {}, "seeds": (), **told})


FULL = line(
    paper=PAPER, seeds=(0, 2), cer=0.21, cer_deviation=0.01414, wer=0.5, relative=-0.1679, parameters=1_234_567.0,
    interval=Interval(-0.2011, -0.0999, (0, 2)), nonzero=51_832.4, sparsity=0.898, sparsity_recurrent=0.92,
    minutes=17.0,
)  # fmt: skip


def test_every_cell_of_a_full_row() -> None:
    assert printed([FULL]).values.tolist() == [
        [
            "Sparse", "0, 2", "21.00 ± 1.41", "-16.79", "[-20.11, -9.99]", "10.67", "-20.71", "50.00",
            "160", "1,234,567", "51,832", "67 M", "89.8", "92.0", "17.0",
        ]
    ]  # fmt: skip


def test_an_empty_row_is_dashes() -> None:
    cells = printed([line()]).values.tolist()[0]
    assert cells == ["Sparse", *["-"] * 7, "160", *["-"] * 6]


@pytest.mark.parametrize(
    ("interval", "cell"),
    [
        (Interval(-0.02, 0.03, (0, 1)), "[-2.00, +3.00], includes 0"),
        (Interval(0.0, 0.0, (0, 1)), "[+0.00, +0.00], includes 0"),
        (Interval(0.01, 0.03, (0,)), "[+1.00, +3.00] †"),
        (Interval(-0.01, 0.03, (4,)), "[-1.00, +3.00], includes 0 †"),
    ],
)
def test_an_interval_says_what_it_lacks(interval: Interval, cell: str) -> None:
    assert printed([line(interval=interval)])["95 % interval"].tolist() == [cell]


def test_numbers_are_fractions() -> None:
    full, empty = numbers([FULL, line()]).to_dict("records")
    assert full["seeds"] == "0 2" == full["interval_seeds"] and full["cer"] == 0.21 and full["relative_low"] == -0.2011
    assert full["paper_cer"] == 0.1067 and full["paper_relative"] == -0.2071 and full["train_minutes"] == 17
    assert empty["seeds"] == "" and empty["cer"] != empty["cer"]  # nothing there


def test_the_terminal_shows_every_column_within_its_width() -> None:
    table = printed([FULL])
    text = for_terminal(table)
    assert all(column in text for column in table) and max(map(len, text.splitlines())) <= 132


def test_the_caption_names_scale_and_seeds() -> None:
    text = caption(compose_config([]), [FULL, line()])
    assert (
        "scale=small: trained on 15 h of synthetic speech, 20 epochs of 200 steps of 12 utterances" in text
        and "seeds (0, 2)" in text
    )
