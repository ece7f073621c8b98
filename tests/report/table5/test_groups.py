"""Ratios, fastest ways and break-even points, from times written by hand."""

import pytest

from prune_rnn.bench.archive import Row
from prune_rnn.bench.matrices import FORCED, UNSTRUCTURED
from prune_rnn.report.table5.groups import Crossing, Group, break_even, crossing, grouped, ratio


def row(name: str, us: float, sparsity: float | None = None, mask: str = "dense", **other: object) -> Row:
    """A row whose quartiles lie 1 us around the median, of the layer of one shape."""
    plain = {
        "workload": "layer", "shape": "a", "label": "A", "streams": 1, "sparsity": sparsity, "mask": mask,
        "name": name, "weights": name.rsplit(" ", 1)[-1], "exact": True, "format": "", "median_us": us,
        "first_quartile_us": us - 1, "third_quartile_us": us + 1, "least_us": us - 2, "rounds": 5,
    }  # fmt: skip
    return Row(**{**plain, **other})  # type: ignore[arg-type]


@pytest.fixture
def group() -> Group:
    rows = [
        row("torch float32", 1000.0),
        row("onnxruntime float32", 400.0),
        row("onnxruntime int8", 100.0),
        row("engine float32", 200.0, 0.95, UNSTRUCTURED),
        row("engine int8", 20.0, 0.95, UNSTRUCTURED),
        row("torch CSR", 10.0, 0.95, UNSTRUCTURED, weights="float32"),
        row("engine int8", 120.0, 0.5, FORCED),
    ]
    (found,) = grouped(rows).values()
    return found


def test_the_fastest_dense_baseline_of_all_and_of_a_type(group: Group) -> None:
    found = [group.fastest_dense(weights) for weights in (None, "float32", "bfloat16")]
    assert [each and each.name for each in found] == ["onnxruntime int8", "onnxruntime float32", None]
    assert group.torch_float32 is not None and group.torch_float32.median_us == 1000.0


def test_speed_ups_are_of_this_projects_own(group: Group) -> None:
    """100 / 20; fastest rounds: 98 / 18. torch's CSR is faster, but only compared with where there is no other."""
    case, forced = group.cases
    assert case.fastest.name == "engine int8" and ratio(group.fastest_dense(), case.fastest) == 5.0
    assert case.speedup_of_fastest_rounds == pytest.approx(98 / 18)
    assert forced.mask == FORCED and ratio(group.fastest_dense(), forced.fastest) == pytest.approx(100 / 120)
    only = Group("layer", "a", 1, [row for row in group.rows if not row.name.startswith("engine")])
    assert only.cases[0].fastest.name == "torch CSR" and ratio(None, only.cases[0].fastest) is None


def test_break_even_lies_between_the_measured(group: Group) -> None:
    """int8: 120 us at 50 %, 20 us at 95 %; the fastest dense baseline takes 100: a fifth of the way, 59 %."""
    assert break_even(group, "int8") == Crossing(0.59)
    assert break_even(group, "float32") == Crossing(0.95, 1) and break_even(group, "bfloat16") is None
    forced = Group("layer", "a", 1, [row for row in group.rows if row.mask != UNSTRUCTURED])
    assert break_even(forced, "int8") is None


def test_the_last_crossing_counts() -> None:
    assert crossing([(0.5, 10.0), (0.8, 30.0), (0.9, 10.0)], 20.0) == Crossing(0.85)


def test_groups_keep_the_order_of_the_rows() -> None:
    rows = [row("x", 9.0), row("x", 9.0, streams=4), row("y", 9.0), row("x", 9.0, workload="product")]
    assert list(grouped(rows)) == [("layer", "a", 1), ("layer", "a", 4), ("product", "a", 1)]
    assert [each.name for each in grouped(rows)["layer", "a", 1].rows] == ["x", "y"]
