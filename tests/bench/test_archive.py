"""What a benchmark leaves behind is read back as it was."""

from pathlib import Path

import pytest

from prune_rnn.bench import archive
from prune_rnn.bench.archive import Conditions
from prune_rnn.bench.candidate import Candidate, Measurement

CONDITIONS = Conditions(
    machine="M", device="cpu", threads=2, engine=None, version="1", commit=None, libraries={"torch": "2"},
    missing=["scipy"], command="prune-rnn bench", rounds=3, seconds=0.03, load=None, baselines={"a": "a"},
    paper={"a": {"us": 20, "speedup": 2.8}},
)  # fmt: skip


def test_rows_and_conditions_come_back(tmp_path: Path) -> None:
    sparse = Candidate("engine int8", "int8", 0.95, "unstructured").packed(0.12345678, "lanes", 7)
    rows = [
        archive.row(Measurement("layer", "a", 1, Candidate("torch float32", "float32"), [3.0, 1.0, 2.00049]), "A"),
        archive.row(Measurement("layer", "a", 1, sparse, [1.0]), "A"),
    ]
    assert (rows[0].median_us, rows[0].least_us, rows[0].rounds, rows[0].dense) == (2.0, 1.0, 3, True)
    assert (rows[1].packing_s, rows[1].bytes, rows[1].dense) == (0.1235, 7, False)
    archive.write(tmp_path, rows, CONDITIONS)
    assert archive.read(tmp_path) == (rows, CONDITIONS)
    assert (tmp_path / "all.csv").read_text().splitlines()[2].endswith(",lanes,1.0,1.0,1.0,1.0,1,0.1235,7,")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"all\.csv"):
        archive.read(tmp_path)
    archive.write(tmp_path, [], CONDITIONS)
    (tmp_path / "conditions.json").write_text('{"machine": "M"}')
    with pytest.raises(ValueError, match="not the files of a benchmark"):
        archive.read(tmp_path)
