"""What is wrong with a table's YAML file is said with its file, row and key."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import file_of, layout, names
from prune_rnn.report.check import check_keys
from prune_rnn.report.report import layouts_of, report
from prune_rnn.reproduce import reproduce
from prune_rnn.usage import UsageError

GOOD = "overrides: model=gru_dense"


def mine(folder: Path, content: str) -> str:
    file = folder / "t.yaml"
    file.write_text(content)
    return str(file)


@pytest.mark.parametrize("name", names())
def test_the_tables_use_all_that_they_say(name: str) -> None:
    check_keys(file_of(name), layout(file_of(name)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("overrides: model=gru_sparse prune.rows=4", "rows[1].overrides: prune.rows=4: not a key of the chosen prune"),
        ("overrides: nope=1", "rows[1].overrides: nope=1: "),
        ("overrides: model=gru_sparse prune.sparsity=0.99", "rows[1].overrides: prune.sparsity=0.99 (of the model, "),
        ("overrides: 'model=\"gru_dense'", "rows[1].overrides: No closing quotation"),
        ("overrides: model=gru_dense seed=1", "rows[1].overrides: seed=1: every seed that has a run is shown; leave"),
        (f"{GOOD}, baseline: model=gru_dens", "rows[1].baseline: model=gru_dens: did you mean 'gru_dense'?"),
        (
            f"{GOOD}, against: odd",
            "rows[1].against: 'odd' is not of the form KEY=VALUE, nor the label of a row (dense)",
        ),
        (f"{GOOD}, init: [model=gru_dense, nope=1]", "rows[1].init[1]: nope=1: "),
        (f"{GOOD}, teacher: nope=1", "rows[1].teacher: nope=1: "),
    ],
)
def test_wrong_overrides_are_named_with_their_row(
    row: str, message: str, fabricate: Callable[..., object], tmp_path: Path
) -> None:
    fabricate("gru_dense", "scale=smoke")
    file = mine(tmp_path, f"kind: compare\nrows:\n  - {{{GOOD}, label: dense}}\n  - {{{row}}}")
    words = [f"results={tmp_path / 'results'}", "scale=smoke"]
    for call in (
        lambda: report(words, [file]),
        lambda: report(words, [file], missing=True),
        lambda: reproduce(words, [file], 1, print),
    ):
        with pytest.raises(UsageError, match=re.escape(f"{file}: {message}")):
            call()


def test_an_override_of_the_command_line_is_no_fault_of_a_row(fabricate: Callable[..., object], tmp_path: Path) -> None:
    fabricate("gru_dense", "scale=smoke")
    words = [f"results={tmp_path / 'results'}", "scale=smoke", "prune.typo=1"]
    with pytest.raises(UsageError, match=r"^prune.typo=1: no such key"):
        report(words, [mine(tmp_path, "kind: compare\nrows:\n  - {overrides: model=gru_sparse}")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "kind: table3\ncolumns: [model]",
            "columns: kind: table3 makes no use of it; leave it out, or give kind: compare",
        ),
        ("kind: table3\ncaption: Mine.", "caption: kind: table3 makes no use of it"),
        (
            "kind: compare\npairs: [[a, b]]",
            "pairs: kind: compare makes no use of it; leave it out, or give kind: table3",
        ),
        ("kind: pairs\nagainst: it", "against: kind: pairs makes no use of it"),
        ("kind: pairs\npairs: [[a, b]]", "pairs[0]: is ['a', 'b']; give the labels of two rows"),
    ],
)
def test_a_key_that_does_nothing_is_refused(content: str, message: str, tmp_path: Path) -> None:
    file = mine(tmp_path, f"{content}\nrows:\n  - {{{GOOD}}}")
    with pytest.raises(UsageError, match=re.escape(f"{file}: {message}")):
        layouts_of([file])
    file = mine(tmp_path, f"kind: frontier\nrows:\n  - {{{GOOD}, baseline: model=gru_dense}}")
    with pytest.raises(UsageError, match=re.escape(f"{file}: rows[0].baseline: kind: frontier makes no use of it")):
        layouts_of([file])


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    content = f"kind: compare\nrows:\n  - {{{GOOD}}}"
    (tmp_path / "other").mkdir()
    files = [mine(tmp_path, content), mine(tmp_path / "other", content)]
    assert list(layouts_of([files[0], files[0]])) == ["t"]
    with pytest.raises(UsageError, match=r"has the same name, and so the same files; rename one"):
        layouts_of(files)
