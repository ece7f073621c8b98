"""The shapes of most worth come first, the record is whole after each group, and the paper's row stands beside."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from prune_rnn.bench.candidate import Candidate, Measurement
from prune_rnn.bench.job import LAYER, PRODUCT
from prune_rnn.bench.matrices import UNSTRUCTURED, Shape
from prune_rnn.device import speed


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was measured: a dense way of 40 us, a sparse one of 10, without a device."""
    found: list[tuple[str, str]] = []

    def recurrent(workload: str, shape: Shape, streams: list[int], *_: object) -> Iterator[list[Measurement]]:
        found.append((workload, shape.name))
        for each in streams:
            ways = [
                Candidate("Triton int8", "int8", 0.95, UNSTRUCTURED, format="sliced"),
                Candidate("cuBLAS TF32", "TF32"),
            ]
            times = zip(ways, (10.0, 40.0), strict=True)
            yield [Measurement(workload, shape.name, each, way, [us]) for way, us in times]

    monkeypatch.setattr(speed, "recurrent", recurrent)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    return found


def test_groups_come_in_the_order_of_worth_with_the_papers_row(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    rows = list(itertools.islice(speed.rows(False, tmp_path), 5))
    assert asked == [(PRODUCT, "gru_2560")]
    paper, sparse, dense, *_ = rows
    assert (paper["way"], paper["us"], paper["speed-up"]) == ("the paper: TitanX, cuSPARSE", 46, 6.8)
    assert paper["over"] == "313 us, dense gru_2560"
    assert (sparse["way"], sparse["us"], sparse["speed-up"], sparse["over"]) == (
        "Triton int8, sliced", 10.0, 4.0, "cuBLAS TF32",
    )  # fmt: skip
    assert (dense["weights"], dense["sparsity"], dense["speed-up"]) == ("TF32", None, 1.0)
    assert len((tmp_path / "table5" / "all.csv").read_text().splitlines()) == 1 + 4
    assert {each["streams"] for each in rows} == {1, 16}


def test_every_shape_has_both_workloads_and_then_its_pages(
    tmp_path: Path, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    monkeypatch.setattr(speed.table5, "write", lambda folder: written.append(len(asked)))
    rows = list(speed.rows(False, tmp_path))
    assert asked == [(workload, shape) for shape in speed._ORDER for workload in (PRODUCT, LAYER)]
    assert written == [2, 4, 6, 8, 10, 12]
    assert sum(row["way"].startswith("the paper") for row in rows) == 5  # it has no 3584


def test_the_pages_are_benchs(tmp_path: Path, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_ORDER", ["gru_2560"])
    list(speed.rows(False, tmp_path))
    page = (tmp_path / "table5" / "README.md").read_text()
    assert "a GPU" in page and "TF32 is float32 with 10 bits" in page and "| 46 | 6.8 | 10.0 ±" in page


def test_a_dry_run_writes_no_record(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    rows = list(speed.rows(True, tmp_path))
    assert len(rows) == 5 and not list(tmp_path.iterdir())
