"""Each table of Table 5 from times written by hand."""

from typing import Any

import pytest

from prune_rnn.bench.archive import Conditions, Row
from prune_rnn.bench.matrices import BLOCKED, FORCED, OWN_MASK, UNSTRUCTURED
from prune_rnn.report.table5 import tables
from prune_rnn.report.table5.groups import Group, grouped

CONDITIONS = Conditions(
    machine="M", device="cpu", threads=2, engine="avx512", version="1", commit="c0ffee", libraries={"torch": "2"},
    missing=[], command="prune-rnn bench", rounds=5, seconds=0.03, load=1.0, baselines={"big": "small"},
    paper={"big": {"us": 46, "speedup": 6.8}, "small": {"us": 20, "speedup": 2.8}},
)  # fmt: skip
Groups = dict[tuple[str, str, int], Group]


def row(shape: str, name: str, us: float, sparsity: float | None = None, mask: str = "dense", **other: Any) -> Row:
    """A row of the product of one stream whose quartiles lie 3 us around the median."""
    plain = {
        "workload": "product", "shape": shape, "label": shape.title(), "streams": 1, "sparsity": sparsity,
        "mask": mask, "name": name, "weights": name.rsplit(" ", 1)[-1], "exact": True, "format": "", "median_us": us,
        "first_quartile_us": us - 3, "third_quartile_us": us + 3, "least_us": us - 4, "rounds": 5,
    }  # fmt: skip
    return Row(**{**plain, **other})


ROWS = [
    row("big", "torch float32", 1000.0),
    row("big", "onnxruntime int8", 100.0),
    row("big", "engine float32", 200.0, 0.95, UNSTRUCTURED),
    row("big", "engine int8", 20.0, 0.95, UNSTRUCTURED),
    row("big", "torch CSR", 300.0, 0.95, UNSTRUCTURED, weights="float32"),
    row("big", "engine int8", 50.0, 0.8, UNSTRUCTURED),
    row("big", "engine int8", 120.0, 0.5, FORCED),
    row("small", "torch float32", 50.0),
]


@pytest.fixture
def groups() -> Groups:
    return grouped(ROWS)


def test_the_summary_is_against_the_fastest_dense_baseline(groups: Groups) -> None:
    cases = tables.headline(groups.values())
    assert tables.summary(cases, 1.0) == [
        {
            "Shape": "Big",
            "Mask": "unstructured",
            "float32": "200 ± 3",
            "bfloat16": "-",
            "int8": "20.0 ± 3.0",
            "Fastest dense baseline": "100 ± 3 (onnxruntime int8)",
            "Speed-up": "5.00",
        }
    ]
    assert tables.summary(cases, 1000.0)[0]["float32"] == "0.2 ± 0.0"


def test_the_summary_shows_the_layer_at_95_percent_and_the_fewest_streams() -> None:
    layer = [
        row("big", name, us, sparsity, mask, workload="layer", streams=streams)
        for streams in (4, 1)
        for name, us, sparsity, mask in [
            ("torch float32", 9.0, None, "dense"),
            ("engine int8", 5.0, 0.9, UNSTRUCTURED),
            ("engine int8", 4.0, 0.97, UNSTRUCTURED),
            ("engine int8", 3.0, 0.9, BLOCKED),
            ("engine int8", 2.0, 0.95, OWN_MASK),
        ]
    ]
    cases = tables.headline(grouped([*ROWS, *layer]).values())
    assert {(case.group.workload, case.group.streams) for case in cases} == {("layer", 1)}
    assert [(case.sparsity, case.mask) for case in cases] == [(0.97, UNSTRUCTURED), (0.9, BLOCKED)]
    assert [each["Sparsity %"] for each in tables.summary(cases, 1.0)] == ["97", "90"]  # named where they differ


def test_models_are_summarised_where_there_is_nothing_else() -> None:
    own = [row("run", "torch int8", 9.0), row("run", "engine int8", 3.0, 0.93, OWN_MASK)]
    none = [row("dense", "torch int8", 9.0), row("dense", "engine int8", 10.0, 0.0, OWN_MASK)]
    assert [case.group.shape for case in tables.headline(grouped(own + none).values())] == ["run"]
    assert tables.headline(grouped(none).values()) == []


def test_the_papers_comparison_is_with_the_baselines_size(groups: Groups) -> None:
    assert tables.against_paper(groups, CONDITIONS) == [
        {
            "Shape": "Big",
            "Paper, us": "46",
            "Paper's speed-up": "6.8",
            "Here, us": "20.0 ± 3.0",
            "Over baseline's size": "2.50",  # 50 / 20
            "Over own size": "5.00",
        }
    ]


def test_losses_are_counted(groups: Groups) -> None:
    """float32 at 95 % takes 200 us where dense takes 100; nothing else loses, and FORCED masks aren't counted."""
    assert tables.losses(groups.values()) == [
        {
            "Workload": "product",
            "Mask": "unstructured",
            "Sparsity %": "95",
            "float32": "1 of 1, down to 0.50",
            "bfloat16": "-",
            "int8": "0 of 1",
        }
    ]


def test_break_even_of_each_group_and_over_all(groups: Groups) -> None:
    """int8: 120 us at 50 %, 50 us at 80 %, dense 100: 20 / 70 of the way, 59 %."""
    cells = {"float32": "above 95 %", "bfloat16": "-", "int8": "59 %"}
    assert tables.break_even_table(groups.values()) == [{"Shape": "Big", "Streams": "1", **cells}]
    second = [row("other", "a", 49.0), row("other", "engine int8", 40.0, 0.8, UNSTRUCTURED)]
    (ranges,) = tables.break_even_ranges(list(grouped(ROWS + second).values()))
    assert ranges == {"Workload": "product", **cells, "int8": "59 % to below 80 %"}


def test_all_rows_of_a_shape(groups: Groups) -> None:
    big, small = groups["product", "big", 1], groups["product", "small", 1]
    table = tables.sparse_times([big], {1: small}, 1.0)
    assert [each["Sparsity %"] for each in table] == ["95", "80", "50"]
    assert table[0]["CSR"] == "300 ± 3" and "scipy CSR" not in table[0] and "bfloat16" not in table[0]
    assert table[0]["Speed-up"] == "5.00, int8" and table[0]["Fastest rounds"] == "6.00"  # 96 / 16
    assert table[0]["Baseline's size"] == "2.50" and table[2]["Speed-up"] == "0.83 (slower), int8"


def test_speed_ups_by_type_stand_at_the_highest_sparsity(groups: Groups) -> None:
    float32, int8 = tables.by_type([groups["product", "big", 1]], 1.0)
    assert (float32["over torch float32"], float32["over float32"], float32["over int8"]) == (
        "5.00", "5.00", "0.50 (slower)",
    )  # fmt: skip
    assert (int8["Sparsity %"], int8["over torch float32"], int8["over bfloat16"]) == ("95", "50.0", "-")


def test_dense_baselines_stand_by_streams() -> None:
    rows = [row("a", "x", 9.0), row("a", "y", 2000.0), row("a", "x", 150.4, streams=4)]
    assert tables.dense_times(list(grouped(rows).values()), 1.0) == [
        {"Baseline": "x", "1": "9.0 ± 3.0", "4": "150 ± 3"},
        {"Baseline": "y", "1": "2,000 ± 3", "4": "-"},
    ]


def test_cuda_ones_have_their_columns() -> None:
    """By the names that the CUDA opponent and kernels have: 300 us dense, 100 us with cuSPARSE, 60 us here."""
    rows = [
        row("big", "cuBLAS float32", 300.0),
        row("big", "cuBLAS bfloat16", 200.0),
        row("big", "cuSPARSE", 100.0, 0.95, UNSTRUCTURED, weights="float32"),
        row("big", "Triton float32", 60.0, 0.95, UNSTRUCTURED),
    ]
    (group,) = grouped(rows).values()
    (sparse,) = tables.sparse_times([group], {}, 1.0)
    assert sparse["CSR"] == "100 ± 3" and sparse["Fastest dense baseline"] == "200 ± 3 (cuBLAS bfloat16)"
    assert tables.by_type([group], 1.0)[0]["over torch float32"] == "5.00"
