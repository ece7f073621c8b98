"""Table 5 from times written by hand, and the command once."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from prune_rnn.bench.measure import FORCED, PRODUCT, Candidate, Measurement
from prune_rnn.table.table5 import break_even, by_type, compared, crossing, dense_times, long_form

LABELS = {"big": "Big", "small": "Small"}


def measured(
    shape: str, name: str, times: list[float], sparsity: float | None = None, mask: str = "dense"
) -> Measurement:
    candidate = Candidate(name, name.rsplit(" ", 1)[-1], sparsity, mask)
    return Measurement(PRODUCT, shape, 1, candidate, times)


@pytest.fixture
def times() -> list[Measurement]:
    return [
        measured("big", "torch float32", [1000.0, 800.0, 1200.0]),
        measured("big", "onnxruntime float32", [400.0, 390.0, 410.0]),
        measured("big", "onnxruntime int8", [100.0, 90.0, 110.0]),
        measured("big", "engine float32", [200.0, 190.0, 210.0], 0.95, "unstructured"),
        measured("big", "engine int8", [20.0, 18.0, 30.0], 0.95, "unstructured"),
        measured("big", "engine int8", [120.0, 118.0, 130.0], 0.5, FORCED),
        measured("small", "torch float32", [50.0, 40.0, 60.0]),
    ]


def test_the_headline_is_against_the_best_dense_one(times: list[Measurement]) -> None:
    (row,) = compared(times, LABELS, {"big": "small"}, {"big": {"us": 46, "speedup": 6.8}}).to_dict("records")
    assert row["Shape"] == "Big" and row["Sparsity %"] == "95" and row["Mask"] == "unstructured"
    assert row["Best dense"] == "100.0 ± 5.0 (onnxruntime int8)"
    assert row["Sparse int8"] == "20.0 ± 3.0"  # quartiles of 18, 20, 30: 19 and 25
    assert row["Speed-up"] == "5.00, int8" and row["at best"] == "5.00"  # 100 / 20, 90 / 18
    assert row["of the baseline's size"] == "2.50"  # 50 / 20
    assert row["Paper's"] == "6.8 (46 us)"
    assert "CSR of torch" not in row  # measured nowhere


def test_slower_is_said(times: list[Measurement]) -> None:
    rows = by_type(times, LABELS).to_dict("records")
    float32 = next(row for row in rows if row["Weights"] == "float32")
    assert (float32["of torch float32"], float32["of best float32"]) == ("5.00", "2.00")
    assert float32["of best int8"] == "0.50 (slower)" and float32["of best bfloat16"] == "-"


def test_break_even_lies_between_the_measured(times: list[Measurement]) -> None:
    """int8: 120 us at 50 %, 20 us at 95 %; the best dense takes 100: a fifth of the way, 59 %."""
    (row,) = break_even(times, LABELS).to_dict("records")
    assert row["Sparse int8"] == "59 %" and row["Sparse float32"] == "above 95 %"
    assert row["Sparse bfloat16"] == "-"


def test_the_last_crossing_counts() -> None:
    assert crossing([(0.5, 10.0), (0.8, 30.0), (0.9, 10.0)], 20.0) == "85 %"
    assert crossing([], 20.0) == "-"


def test_dense_ones_stand_side_by_side(times: list[Measurement]) -> None:
    rows = dense_times(times, LABELS).to_dict("records")
    assert rows[0]["onnxruntime float32"] == "400.0 ± 5.0" and rows[1]["onnxruntime float32"] == "-"


def test_the_long_form_keeps_everything(times: list[Measurement]) -> None:
    frame = long_form(times, LABELS)
    assert len(frame) == len(times) and frame["dense"].sum() == 4
    assert frame.loc[4, ["median_us", "least_us", "rounds"]].tolist() == [20.0, 18.0, 3]


def test_the_command_writes_its_tables(command: Callable, tmp_path: Path) -> None:
    done = command(
        "bench", "shapes=[rnn_1760]", "streams=[1]", "sparsity=[0.95]", "blocks=[product]", "rounds=1", "seconds=0",
        check=True,
    )  # fmt: skip
    assert "RNN 1760" in done.stdout and "Best dense" in done.stdout and "2.8 (20 us)" in done.stdout
    assert done.stderr.count("product, RNN 1760, 1 stream(s): best dense") == 1
    written = sorted((tmp_path / "results" / "tables").iterdir())
    assert [path.suffix for path in written] == [".csv", ".md", ".tex"]
    frame = pd.read_csv(written[0])
    assert {"torch float32", "torch CSR"} <= set(frame["name"]) and (frame["median_us"] > 0).all()
    failed = command("bench", "rounds=0")
    assert failed.returncode == 1 and failed.stderr == "prune-rnn: rounds=0: must be 1 or more\n"
    assert command("bench", "quick").returncode == 2


def test_cuda_ones_have_their_columns() -> None:
    """By the names that `engine.cuda` and the benchmark give: 300 us dense, 100 us with cuSPARSE, 60 us here."""
    times = [
        measured("big", "cuBLAS float32", [300.0]),
        measured("big", "cuBLAS bfloat16", [200.0]),
        Measurement(PRODUCT, "big", 1, Candidate("cuSPARSE", "float32", 0.95, "unstructured"), [100.0]),
        measured("big", "Triton float32", [60.0], 0.95, "unstructured"),
    ]
    (row,) = compared(times, LABELS, {}, {}).to_dict("records")
    assert row["CSR of torch"] == "100.0 ± 0.0" and row["Best dense"] == "200.0 ± 0.0 (cuBLAS bfloat16)"
    assert by_type(times, LABELS).loc[0, "of torch float32"] == "5.00"
    assert {"cuBLAS float32", "cuBLAS bfloat16"} <= set(dense_times(times, LABELS))
