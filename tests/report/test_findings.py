"""Table 3's sentences, by numbers worked out by hand."""

from dataclasses import fields
from typing import Any

from prune_rnn.analyse.comparison import Line
from prune_rnn.analyse.interval import Interval
from prune_rnn.analyse.rows import Row
from prune_rnn.report.findings import findings


def line(label: str, **known: Any) -> Line:
    nothing = dict.fromkeys(field.name for field in fields(Line))
    return Line(**{**nothing, "label": label, "units": 128, "paper": {}, "seeds": (0,), **known})


def row(label: str) -> Row:
    sparse = "Sparse" in label
    return Row(
        label=label,
        family="gru",
        model="gru",
        command="",
        trains=None,
        units=128,
        sparse=sparse,
        config=None,
        composed=None,
    )


BASE = line("GRU Dense", cer=0.2, nonzero=1000.0, relative=0.0)
SPARSE = line("GRU Sparse", relative=-0.19, interval=Interval(-0.24, -0.14, True), sparsity=0.886, nonzero=114.0)
BIG = line("GRU Sparse Big", relative=0.06, interval=Interval(0.02, 0.1, True), sparsity=0.9, nonzero=230.0)


def sentences(*lines: Line) -> list[str]:
    return findings([row(each.label) for each in lines], lines)


def test_the_cost_the_gain_and_the_paper() -> None:
    big = line("GRU Sparse Big", **{**_values(BIG), "paper": {"relative": -2.2}})
    assert sentences(BASE, SPARSE, big) == [
        "Against the dense baseline: GRU Sparse, 89 % sparse: 19 % more character errors (14 to 24).",
        "Bigger networks: GRU Sparse Big, 23 % of the baseline's weights: 6 % fewer character errors (2 to 10).",
        "The paper's value lies outside the interval: GRU Sparse Big (+6 %, the paper -2 %).",
    ]


def test_the_size_and_the_speed_of_the_biggest_stand_beside_its_errors() -> None:
    base = line("GRU Dense", **{**_values(BASE), "bytes": 1000.0})
    big = line("GRU Sparse Big", **{**_values(BIG), "bytes": 400.0, "network_speed": 1.256})
    assert sentences(base, SPARSE, big)[1] == (
        "Bigger networks: GRU Sparse Big, 23 % of the baseline's weights: 6 % fewer character errors (2 to 10), "
        "40 % of its float32 file, 1.3 times as fast, each in its fastest type."
    )


def test_an_interval_around_zero_shows_nothing_and_the_paper_may_lie_inside() -> None:
    unsure = {"relative": 0.01, "interval": Interval(-0.02, 0.04, True), "paper": {"relative": 3.9}}
    [only] = sentences(BASE, line("GRU Sparse", **{**_values(SPARSE), **unsure}))
    assert only == "Against the dense baseline: GRU Sparse, 89 % sparse: no difference shown (-2 to +4 %)."


def test_without_runs_there_are_no_sentences() -> None:
    assert sentences(line("GRU Dense"), line("GRU Sparse")) == []


def _values(of: Line) -> dict[str, Any]:
    return {field.name: getattr(of, field.name) for field in fields(Line) if field.name != "label"}
