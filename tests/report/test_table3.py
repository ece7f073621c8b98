"""Table 3 as it is printed, cell by cell."""

import csv
from dataclasses import fields
from typing import Any

from prune_rnn.analyse.comparison import Line
from prune_rnn.analyse.interval import Interval
from prune_rnn.config.config import compose_config
from prune_rnn.report.base import Table
from prune_rnn.report.table3 import table

PAPER = {"cer": 10.67, "parameters": "67 M", "relative": -20.71}


def line(**values: Any) -> Line:
    nothing = dict.fromkeys(field.name for field in fields(Line))
    return Line(**{**nothing, "label": "Sparse", "units": 160, "paper": {}, "seeds": (), **values})


FULL = line(
    paper=PAPER, seeds=(0, 2), cer=0.21, cer_deviation=0.01414, wer=0.5, relative=-0.1679, parameters=1_234_567.0,
    interval=Interval(-0.2011, -0.0999, True), nonzero=51_832.4, sparsity=0.898, sparsity_recurrent=0.92,
    bytes=387_636.0, layer_speed=2.345, network_speed=1.04,
)  # fmt: skip


def printed(*lines: Line) -> Table:
    return table("table3", compose_config([]), lines, "Table 3")


def cells(*lines: Line) -> list[list[str]]:
    return [list(row.values()) for row in printed(*lines).rows]


def test_every_cell_of_a_full_row() -> None:
    assert cells(FULL) == [
        [
            "Sparse", "0, 2", "21.00 ± 1.41", "-16.79", "[-20.11, -9.99]", "10.67", "-20.71", "50.00",
            "160", "1,234,567", "51,832", "89.8", "387,636", "2.3", "1.0",
        ]
    ]  # fmt: skip


def test_an_empty_row_is_dashes() -> None:
    assert cells(line())[0] == ["Sparse", *["-"] * 7, "160", *["-"] * 6]


def test_numbers_are_fractions() -> None:
    full, empty = csv.DictReader(printed(FULL, line()).csv().splitlines())
    assert full["seeds"] == "0 2" and full["cer"] == "0.21" and full["relative_low"] == "-0.2011"
    assert full["paper_cer"] == "0.1067" and full["paper_relative"] == "-0.2071" and full["layer_speed"] == "2.345"
    assert full["nonzero"] == "51832.4" and empty["seeds"] == "" == empty["cer"] and empty["units"] == "160"


def test_the_terminal_shows_every_column_within_its_width() -> None:
    text = printed(FULL).text()
    assert all(column in text for column in printed(FULL).columns) and max(map(len, text.splitlines())) <= 120


def test_the_caption_names_scale_and_seeds() -> None:
    text = printed(FULL, line()).heading
    assert (
        "scale=small. Trained on 15 h of synthetic speech, 20 epochs of 200 steps of 12 utterances" in text
        and "seeds (0, 2)" in text
    )
