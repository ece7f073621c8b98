"""Speed-ups of runs from a benchmark's record, by numbers worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from prune_rnn.analyse.speed import best, read
from prune_rnn.bench.archive import Conditions, Row, write
from prune_rnn.bench.job import LAYER, NETWORK

CONDITIONS = Conditions(
    machine="a CPU", device="cpu", threads=2, engine="avx2", version="0", commit=None, libraries={}, missing=[],
    command="prune-rnn bench", rounds=5, seconds=0.03, load=None,
)  # fmt: skip


def row(shape: str, us: float, *, sparsity: float | None = None, workload: str = NETWORK, streams: int = 1) -> Row:
    return Row(
        workload=workload, shape=shape, label=shape, streams=streams, sparsity=sparsity, mask="", name="",
        weights="int8", exact=True, format="", rounds=5,
        median_us=us, first_quartile_us=us, third_quartile_us=us, least_us=us,
    )  # fmt: skip


ROWS = [
    row("dense-a", 600.0),
    row("dense-a", 500.0),
    row("dense-a", 550.0, sparsity=0.0),
    replace(row("dense-a", 90.0), exact=False),  # does less than the job
    replace(row("dense-a", 80.0), stage="features"),  # a part of it
    row("sparse-a", 400.0),
    row("sparse-a", 200.0, sparsity=0.9),
    row("sparse-a", 10.0, sparsity=0.9, streams=16),
    row("sparse-a", 50.0, sparsity=0.9, workload=LAYER),
]


def test_the_baselines_fastest_way_over_the_fastest_way(tmp_path: Path) -> None:
    write(tmp_path, ROWS, CONDITIONS)
    speeds = read(tmp_path)
    assert speeds.times_as_fast(NETWORK, ["sparse-a"], ["dense-a"]) == 500 / 200
    assert speeds.times_as_fast(NETWORK, ["dense-a"], ["dense-a"]) == 1
    assert speeds.times_as_fast(NETWORK, ["sparse-b", "sparse-a"], ["dense-b", "dense-a"]) == 500 / 200
    assert speeds.times_as_fast(LAYER, ["sparse-a"], ["dense-a"]) is None  # no dense layer was measured
    assert speeds.times_as_fast(NETWORK, ["sparse-b"], ["dense-a"]) is None


PAIRS = [(["sparse-b", "sparse-a"], ["dense-a"])]


@pytest.mark.parametrize("damaged", [False, True])
def test_the_record_with_most_of_the_speed_ups_serves(tmp_path: Path, damaged: bool) -> None:
    pair = [row("dense-a", 500.0), row("sparse-a", 200.0, sparsity=0.9)]
    write(tmp_path / "a", pair, CONDITIONS)
    write(tmp_path / "b", [*pair, *(replace(each, workload=LAYER) for each in pair)], CONDITIONS)
    if damaged:
        (tmp_path / "b" / "all.csv").write_text("nonsense")
    found = best(tmp_path, PAIRS)
    assert found is not None and found.folder == ("a" if damaged else "b")


def test_a_record_without_the_baseline_or_of_a_gpu_does_not_serve(tmp_path: Path) -> None:
    write(tmp_path / "a", [row("sparse-a", 200.0)], CONDITIONS)
    write(tmp_path / "b", [row("dense-a", 500.0), row("sparse-a", 200.0)], replace(CONDITIONS, device="cuda"))
    assert best(tmp_path, PAIRS) is None
