"""Table 5 is a pure function of the record beside it, and readable."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from prune_rnn.bench import archive
from prune_rnn.bench.archive import Conditions, Row
from prune_rnn.bench.matrices import UNSTRUCTURED
from prune_rnn.report.table5 import write as table5
from prune_rnn.report.table5.groups import grouped

RECORDS = sorted((Path(__file__).parents[3] / "results" / "tables" / "table5").glob("*/all.csv"))
CONDITIONS = Conditions(
    machine="Some CPU", device="cpu", threads=2, engine="avx512", version="1.2", commit="c0ffee",
    libraries={"torch": "2"}, missing=["scipy"], command="prune-rnn bench", rounds=5, seconds=0.03, load=1.0,
    baselines={"big": "big"}, paper={"big": {"us": 46, "speedup": 6.8}},
)  # fmt: skip


def row(workload: str, name: str, us: float, sparsity: float | None = None) -> Row:
    return Row(
        workload=workload, shape="big", label="Big", streams=1, sparsity=sparsity,
        mask="dense" if sparsity is None else UNSTRUCTURED, name=name, weights=name.rsplit(" ", 1)[-1], exact=True,
        format="", median_us=us, first_quartile_us=us - 1, third_quartile_us=us + 1, least_us=us, rounds=5,
    )  # fmt: skip


ROWS = [
    each
    for workload, scale in (("product", 1.0), ("network", 1000.0))
    for each in (row(workload, "torch float32", 100 * scale), row(workload, "engine float32", 8 * scale, 0.95))
]


def test_the_files_of_a_record(tmp_path: Path) -> None:
    archive.write(tmp_path, ROWS, CONDITIONS)
    (tmp_path / "notes.md").write_text("the user's own")
    text = table5.write(tmp_path)
    wanted = {"README.md", "product.md", "network.md", "summary.tex", "speedup.png", "speedup.svg"}
    assert {path.name for path in tmp_path.iterdir()} == wanted | {"all.csv", "conditions.json", "notes.md"}
    before = {name: (tmp_path / name).read_bytes() for name in wanted}
    assert table5.write(tmp_path) == text
    assert before == {name: (tmp_path / name).read_bytes() for name in wanted}
    assert text.splitlines()[-1].endswith(str(tmp_path / "README.md"))


def test_the_first_table_for_the_page(tmp_path: Path) -> None:
    archive.write(tmp_path, ROWS, CONDITIONS)
    table = table5.shown(tmp_path)
    assert table.title == "Table 5 on Some CPU, 2 CPU threads" and "commit c0ffee" in table.caption.lower()
    [row] = table.rows
    assert (row["Shape"], list(row.values())[-1]) == ("Big", "12.5")


def test_the_summary_by_hand() -> None:
    """100 us against 8 us: 12.5 times."""
    text = table5.readme(grouped(ROWS), CONDITIONS, drawn=True, staged=False)
    assert text.startswith("# Table 5 on Some CPU, 2 CPU threads\n")
    assert "## The recurrent product alone: 1 stream, 95 % sparsity, microseconds\n" in text
    assert "| Big | unstructured | 8.0 ± 1.0 | - | - | 100 ± 1 (torch float32) | 12.5 |" in text
    assert "| Big | 46 | 6.8 | 8.0 ± 1.0 | 12.5 | 12.5 |" in text
    assert "commit c0ffee" in text and "not installed and left out: scipy" in text and "speedup.png" in text
    assert "[product](product.md), [network](network.md), [CSV](all.csv)" in text
    assert "Where sparse loses" not in text  # it doesn't
    assert "speedup.png" not in table5.readme(grouped(ROWS), CONDITIONS, drawn=False, staged=False)


def test_a_page_says_its_unit() -> None:
    product, network = (table5.page(grouped(ROWS), workload, CONDITIONS) for workload in ("product", "network"))
    assert product.startswith("# The recurrent product alone, microseconds\n")
    assert "| 1 | 95 | unstructured | 8.0 ± 1.0 | 100 ± 1 (torch float32) | 12.50, float32 |" not in product
    assert "| 1 | 95 | unstructured | 8.0 ± 1.0 | 100 ± 1 (torch float32) | 12.5, float32 | 12.5 | 12.5 |" in product
    assert "milliseconds for a second of audio" in network and "| torch float32 | 100 ± 0 |" in network


def test_nothing_sparse_is_no_error(tmp_path: Path) -> None:
    archive.write(tmp_path, ROWS[:1], CONDITIONS)
    assert "Nothing sparse was measured" in table5.write(tmp_path)
    assert not (tmp_path / "speedup.png").exists()


def test_latex_has_the_same_numbers_and_the_conditions() -> None:
    cases = table5.tables.headline(grouped(ROWS).values())
    text = table5.latex(cases, CONDITIONS)
    assert text.startswith("% Table 5. The recurrent product alone") and "commit c0ffee" in text
    line = next(line for line in text.splitlines() if line.startswith(" Big"))
    assert [cell.strip(" \\") for cell in line.split("&")][2::4] == ["8.0 ± 1.0", "12.5"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_committed_tables_are_what_their_records_say(path: Path, tmp_path: Path) -> None:
    for name in (archive.ROWS, archive.CONDITIONS):
        shutil.copy(path.with_name(name), tmp_path)
    text = table5.write(tmp_path)
    assert max(map(len, text.splitlines()[:-1])) <= 120
    names = {each.name for each in path.parent.iterdir()}
    assert names == {each.name for each in tmp_path.iterdir()} and {"README.md", "network.md", "summary.tex"} <= names
    for name in (name for name in names if name.endswith((".md", ".tex"))):
        rendered = (tmp_path / name).read_text()
        assert rendered == path.with_name(name).read_text(), name
        lines = [line for line in rendered.splitlines() if not line.startswith("%")]  # what stands beside the numbers
        assert max(map(len, lines)) <= 200 or name == "README.md"
    assert json.loads(path.with_name(archive.CONDITIONS).read_text())["command"]


def test_stages_have_a_page_and_no_part_in_the_speed_ups(tmp_path: Path) -> None:
    stages = [
        replace(row("stages", "prune-rnn int8", us, 0.95), stage=stage)
        for stage, us in (("features", 1000), ("time loops", 3000))
    ]
    archive.write(tmp_path, [*ROWS, *stages], CONDITIONS)
    text = table5.write(tmp_path)
    assert "  prune-rnn int8, 95 %: 4.00 ms: time loops 75 %, features 25 %" in text
    assert "| prune-rnn int8, 95 % | 1.00 | 3.00 | 4.00 |" in (tmp_path / "stages.md").read_text()
    assert (tmp_path / "stages.png").is_file() and "stages" in (tmp_path / "README.md").read_text()
    both = (tmp_path / "summary.tex").read_text()
    archive.write(tmp_path, ROWS, CONDITIONS)
    table5.write(tmp_path)
    assert (tmp_path / "summary.tex").read_text() == both
    archive.write(tmp_path, stages, CONDITIONS)
    assert "Nothing sparse was measured" not in table5.write(tmp_path)
