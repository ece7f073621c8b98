"""Table 3 as it is printed, cell by cell."""

import csv
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from prune_rnn.analyse.comparison import Line
from prune_rnn.analyse.interval import Interval
from prune_rnn.analyse.layout import layout
from prune_rnn.analyse.pairs import compare_pairs
from prune_rnn.analyse.rows import collect, heard
from prune_rnn.config import compose_config
from prune_rnn.report.base import Table
from prune_rnn.report.table3 import pairs, table

PAPER = {"cer": 10.67, "parameters": "67 M", "relative": -20.71}


def line(**told: Any) -> Line:
    nothing = dict.fromkeys(field.name for field in fields(Line))
    return Line(**{**nothing, "label": "Sparse", "units": 160, "paper": {}, "seeds": (), **told})


FULL = line(
    paper=PAPER, seeds=(0, 2), cer=0.21, cer_deviation=0.01414, wer=0.5, relative=-0.1679, parameters=1_234_567.0,
    interval=Interval(-0.2011, -0.0999, True), nonzero=51_832.4, sparsity=0.898, sparsity_recurrent=0.92,
    bytes=387_636.0, layer_speed=2.345, network_speed=1.04,
)  # fmt: skip


def printed(*lines: Line) -> Table:
    return table("table3", compose_config([]), lines)


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


@pytest.mark.parametrize(
    ("interval", "cell"),
    [
        (Interval(-0.02, 0.03, True), "[-2.00, +3.00], includes 0"),
        (Interval(0.0, 0.0, True), "[+0.00, +0.00], includes 0"),
        (Interval(0.01, 0.03, False), "[+1.00, +3.00] †"),
        (Interval(-0.01, 0.03, False), "[-1.00, +3.00], includes 0 †"),
    ],
)
def test_an_interval_says_what_it_lacks(interval: Interval, cell: str) -> None:
    assert printed(line(interval=interval)).rows[0]["95 % interval"] == cell


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


def test_pairs_stand_beside_the_papers(fabricate: Callable, tmp_path: Path) -> None:
    """The paper: (14.50 - 12.88) / 14.50 = 11.2 %. Here 8 edits instead of 10, in every utterance."""
    fabricate("rnn_dense_small", edits=[10, 10])
    fabricate("rnn_sparse", edits=[8, 8])
    shared, rows = collect([f"results={tmp_path / 'results'}"])
    found, _ = compare_pairs(rows, layout("table3").pairs, heard(rows), None)
    (row,) = pairs("pairs", shared, found).rows
    assert row["Relative %"] == "+20.0" and row["95 % interval"] == "[+20.0, +20.0] †"
    assert row["Paper's relative %"] == "+11.2"
