"""Only what is a regular file, and not too large, is read; lines end at line feeds alone."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from prune_rnn import files


@pytest.mark.parametrize("kind", ["pipe", "zeros", "endless", "folder", "sparse", "loop"])
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, kind: str, instead: Callable[[Path, str], None], seconds: Callable[[float], AbstractContextManager]
) -> None:
    path = tmp_path / "file"
    instead(path, kind)
    with seconds(2), pytest.raises(OSError, match="file"):
        files.read(path, files.VALUES)


def test_a_file_of_just_the_greatest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(10))
    assert files.read(path, 10) == bytes(10)
    with pytest.raises(OSError, match=r"10 bytes; a file of its kind has 9 at most: .*/file"):
        files.read(path, 9)


def test_no_descriptor_stays_open(tmp_path: Path, instead: Callable[[Path, str], None]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    instead(tmp_path / "file", "pipe")
    (tmp_path / "fine").touch()
    for name in ("file", "fine", "none"):
        try:
            files.read(tmp_path / name, 9)
        except OSError:
            continue
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("content", "number"), [(b"\r", 1), (b"a\r\nb\rc\n", 2), (b"a\n\n\r\r\n", 3), ("ä\r\nb\r".encode(), 2)]
)
def test_a_bare_carriage_return_is_refused_with_its_line(content: bytes, number: int) -> None:
    with pytest.raises(ValueError, match=f"line {number} has a carriage return"):
        files.lines(content)


def test_what_else_python_takes_for_an_end_of_line_is_none() -> None:
    line = "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i"
    assert files.lines(f"{line}\r\n{line}".encode("utf-8-sig")) == [line, line]
