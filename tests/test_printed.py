"""What is printed: no name steers the terminal, and no terminal makes a command fail."""

import io
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prune_rnn import paths
from prune_rnn.config.compose import read
from prune_rnn.config.config import Config
from prune_rnn.printed import Escaping, escape_output, escaped, one_line, pasted, terminal


@given(st.text(st.characters()))
def test_nothing_that_is_printed_steers_a_terminal(text: str) -> None:
    for shown in (escaped(text), one_line(text)):
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown.replace("\n", "").replace("\t", ""))
        shown.encode()  # no half of a character, either
    assert "\n" not in one_line(text)


@pytest.mark.parametrize("text", ["plain\ttext\n", "ä ± … 日本", "", "a\\x1bb"])
def test_what_can_be_printed_stays(text: str) -> None:
    assert escaped(text) == text


@given(st.text("ab,'\"\\\\$`!=:[]{}()#~ \u0302\u00e4", min_size=1).filter(lambda text: "${" not in text))
@example("abc\"'")
@example("a\\\\]b")
@example("a b ")
@example("''")
@example('"ab"')
def test_a_printed_override_is_read_again_by_a_shell_and_hydra(value: str) -> None:
    assert Config  # whose keys Hydra knows
    (word,) = shlex.split(pasted("data.alphabet", value))
    assert read(word).value() == value


def test_a_stream_is_escaped_once_and_reached_for_what_steers_on_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    escape_output()
    escape_output()
    print("±\x1b[2J")
    print("\r\x1b[A", end="", file=terminal(sys.stdout), flush=True)
    assert isinstance(sys.stdout, Escaping) and ascii_only.buffer.getvalue() == b"\\xb1\\x1b[2J\n\r\x1b[A"
    assert terminal(ascii_only) is ascii_only


@pytest.mark.slow
def test_every_command_prints_on_an_ascii_terminal(
    command: Callable, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files and folders have names of their users', which need not even be text, and tables a plus-minus."""
    name = os.fsdecode("ä".encode() + b"\xff")
    results = f"results={tmp_path / name}"
    keys = [word for word in tiny if not word.startswith(("model", "results"))]
    folder = paths.runs(tmp_path / name)
    (folder / "ä\x1b[2J\nb-0123456789").mkdir(parents=True)
    for code, words in (
        (0, ["train", *keys, "name=ä"]),
        (0, ["report", *keys]),
        (0, ["runs"]),
        (1, ["verify"]),
        (0, ["describe", "name=ä"]),
        (0, ["train", "--cfg", "job", "name=ä"]),
        (1, ["export", "ä"]),
    ):
        streams = {which: io.TextIOWrapper(io.BytesIO(), encoding="ascii") for which in ("stdout", "stderr")}
        for which, stream in streams.items():
            monkeypatch.setattr(sys, which, stream)
        done = command(
            *words, *([] if words[0] == "export" else [f"--{results}" if words[0] in ("runs", "verify") else results])
        ).returncode
        shown = {}
        for which, stream in streams.items():
            stream.flush()
            shown[which] = stream.buffer.getvalue().decode("ascii")
            assert "\x1b" not in shown[which]
        assert done == code, (words, shown)
        if words == ["runs"]:
            assert "\\xe4\\x1b[2J\\nb-0123456789" in shown["stdout"]
        if words[0] == "report":
            assert f"written: {tmp_path}/\\xe4\\udcff/report.html" in shown["stdout"]


def test_an_error_is_one_line_whatever_the_name(command: Callable) -> None:
    done = command("export", "a\x1b]0;b\x07\nc")
    assert done.returncode == 1 and done.stderr.startswith("prune-rnn: a\\x1b]0;b\\x07\\nc holds no finished run")
    assert done.stderr.count("\n") == 1
    done = command("transcribe", os.fsdecode(b"\xff"), "\u202ea.wav")
    assert done.returncode == 1 and "\\udcff" in done.stderr


def test_a_name_breaks_no_line_of_an_error_that_has_several(command: Callable, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"audio_filepath": "a\\n\\u001b[2Jb.wav", "text": "a"}\n' * 2)
    done = command("train", *tiny, f"data.train={tmp_path / 'bad.jsonl'}")
    errors = done.stderr.splitlines()
    assert done.returncode == 1 and "a\\n\\x1b[2Jb.wav: no such file" in errors[-2]
    assert [words[:8] for words in errors[-3:]] == ["  line 1", "  line 2", "fix them"]
