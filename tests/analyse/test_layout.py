"""A table's YAML file: what it may hold, and what is wrong with it in one line."""

from pathlib import Path

import pytest

from prune_rnn import paths
from prune_rnn.analyse.layout import file_of, layout, names
from prune_rnn.usage import UsageError


def test_every_table_is_whole_and_table_3_comes_first() -> None:
    assert names()[0] == "table3" and {"table4", "frontier", "start", "trend", "forecast"} <= set(names())
    for name in names():
        found = layout(file_of(name))
        words = [(row.overrides, row.teacher, *row.init) for row in found.rows]
        assert found.title and len(set(words)) == len(words)
        labels = {row.label for row in found.rows}
        assert all(len(pair) == 2 and set(pair) <= labels for pair in found.pairs)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kind: compare\nrows: []", "rows is empty; give one or more"),
        ("kind: compare", "rows is missing; correct it"),
        ("kind: compare\nrows:\n  - {baseline: a}", r"rows\[0\].overrides is missing"),
        ("kind: compare\nrowz: []\nrows: []", "rowz is not a known key"),
        ("kind: compare\nseeds: 0\nrows:\n  - {overrides: a}", "seeds is below 1"),
        ("a: [", "can't be read as YAML"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(UsageError, match=message) as raised:
        layout(file)
    assert "\n" not in str(raised.value) and str(file) in str(raised.value)


@pytest.mark.parametrize("stem", ["table3", "table5", "table3_pairs", "forecast_registered"])
def test_a_file_named_as_a_table_that_is_there_is_refused(tmp_path: Path, stem: str) -> None:
    file = tmp_path / f"{stem}.yaml"
    file.write_text("kind: compare\nrows:\n  - {overrides: model=gru_dense}")
    with pytest.raises(UsageError, match=rf"table {stem.partition('_')[0]}; rename it, e.g. my_{stem}.yaml"):
        file_of(str(file))


def test_the_file_of_a_table_is_the_table(tmp_path: Path) -> None:
    shipped = paths.conf() / "table" / "table4.yaml"
    assert file_of("table4") == shipped and file_of(str(shipped)) == shipped
    (tmp_path / "table4.yaml").symlink_to(shipped)
    assert layout(file_of(str(tmp_path / "table4.yaml"))) == layout(shipped)
