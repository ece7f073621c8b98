"""The library's Python side says what the C++ says."""

import ctypes
import re
from pathlib import Path

import pytest

from prune_rnn.native import library
from prune_rnn.native.library import SIGNATURES, InstructionSet

FOLDER = Path(__file__).parents[2] / "prune_rnn" / "native"


def c_type(word: str) -> object:
    """The ctypes type of a C parameter or result, "const float* x" or "int"."""
    if word.startswith("const char*"):
        return ctypes.c_char_p
    if "*" in word:
        return ctypes.c_void_p
    return {"int": ctypes.c_int, "int64_t": ctypes.c_int64, "void": None}[word.split()[0]]


def test_every_c_function_is_declared_as_it_is_defined() -> None:
    found = {}
    for file in FOLDER.glob("*/*.cpp"):
        for returns, name, takes in re.findall(
            r"^API ((?:const )?\w+\*?) (prune_rnn_\w+)\((.*?)\)", file.read_text(), re.M | re.S
        ):
            found[name] = (c_type(returns), [c_type(each.strip()) for each in takes.split(",") if each])
    assert found == SIGNATURES


def test_the_sets_have_the_numbers_of_the_c_side() -> None:
    text = (FOLDER / "common" / "sets.h").read_text()
    numbers = {name.lower(): int(number) for name, number in re.findall(r"^    ([A-Z0-9_]+) = (\d),", text, re.M)}
    assert numbers.pop("sets") == len(InstructionSet)
    assert numbers == {each.name: each.value for each in InstructionSet}


@pytest.mark.skipif(library.built() is None, reason="the library wasn't built: no C++ compiler at installation")
def test_a_variable_takes_the_better_sets_away(monkeypatch: pytest.MonkeyPatch) -> None:
    here = library.instruction_sets()
    assert here[-1] is InstructionSet.plain and here == sorted(here, reverse=True)
    for number, each in enumerate(here):
        monkeypatch.setenv("PRUNE_RNN_SET", each.name)
        library.instruction_sets.cache_clear()
        assert library.instruction_sets() == here[number:]
    monkeypatch.setenv("PRUNE_RNN_SET", "mmx")
    library.instruction_sets.cache_clear()
    with pytest.raises(
        ValueError, match=r"PRUNE_RNN_SET=mmx: this machine runs .*plain; unset it or choose one of them"
    ):
        library.instruction_sets()
    monkeypatch.undo()
    library.instruction_sets.cache_clear()
    assert library.instruction_sets() == here


@pytest.mark.skipif(library.built() is None, reason="the library wasn't built: no C++ compiler at installation")
def test_a_library_of_other_sources_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "sources", lambda folder: "of an edited file")
    with pytest.raises(ValueError, match=r"libprune_rnn\.so: built from other sources .* build it again"):
        library.built.__wrapped__()


def test_the_digest_of_the_sources_sees_each_byte(tmp_path: Path) -> None:
    assert library.sources(tmp_path) is None
    (tmp_path / "sparse").mkdir()
    (tmp_path / "sparse" / "a.cpp").write_text("int a;")
    before = library.sources(tmp_path)
    (tmp_path / "sparse" / "a.cpp").write_text("int b;")
    assert before and library.sources(tmp_path) != before
