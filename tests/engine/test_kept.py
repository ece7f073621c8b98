"""Choices stay; a damaged file is as none."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from prune_rnn.engine import kept


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "prune-rnn" / "engine.json"
    monkeypatch.setattr(kept, "file", lambda: path)
    return path


def test_choices_are_kept(place: Path) -> None:
    assert kept.choices() == {}
    kept.keep("a", "rows")
    kept.keep("b", "lanes")
    assert kept.choices() == {"a": "rows", "b": "lanes"} and [file.name for file in place.parent.iterdir()] == [
        place.name
    ]


@pytest.mark.parametrize("kind", ["pipe", "zeros", "endless", "sparse"])
def test_what_is_no_file_is_as_none_and_is_replaced(
    kind: str,
    place: Path,
    instead: Callable[[Path, str], None],
    seconds: Callable[[float], AbstractContextManager],
) -> None:
    place.parent.mkdir()
    instead(place, kind)
    with seconds(5):
        assert kept.choices() == {}
        kept.keep("a", "rows")
    assert kept.choices() == {"a": "rows"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": 1}', b"[" * 100_000])
def test_a_damaged_file_is_as_none_and_is_replaced(content: bytes, place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(content)
    assert kept.choices() == {}
    kept.keep("a", "rows")
    assert kept.choices() == {"a": "rows"}


def test_where_nothing_can_be_written_it_is_reported(place: Path) -> None:
    place.parent.write_text("a file where the folder would be")
    with pytest.warns(RuntimeWarning, match=r"engine\.json can't be written .* may choose another format"):
        kept.keep("a", "rows")


def test_the_machine_has_a_name() -> None:
    assert kept.cpu() == kept.cpu() != ""
