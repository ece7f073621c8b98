"""An ARPA file's probabilities, by hand; what is no ARPA file is refused by its line."""

import gzip
import math
from pathlib import Path

import pytest

from prune_rnn.speech.ngram import Ngram, read_arpa

ARPA = """
\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-99\t<s>\t-0.5
-1.0\t</s>
-0.4\tOne\t-0.2
-0.7\ttwo
-2.0\t<UNK>\t-0.1

\\2-grams:
-0.1\t<s> one
-0.3\tone two

\\end\\
anything after the end
"""


@pytest.fixture
def lm(tmp_path: Path) -> Ngram:
    (tmp_path / "a.arpa").write_text(ARPA)
    return read_arpa(tmp_path / "a.arpa")


@pytest.mark.parametrize(
    ("history", "word", "decimal"),
    [
        (("<s>",), "one", -0.1),
        (("<s>",), "two", -0.5 - 0.7),  # back-off of <s>
        (("one",), "two", -0.3),
        (("<s>", "one"), "two", -0.3),  # a bigram depends on one word
        (("two",), "one", -0.4),  # two has no back-off weight
        (("one",), "</s>", -0.2 - 1.0),
        (("one",), "three", -0.2 - 2.0),
        (("three",), "two", -0.1 - 0.7),  # back-off of <unk>
        ((), "one", -0.4),
    ],
)
def test_scores_back_off(lm: Ngram, history: tuple[str, ...], word: str, decimal: float) -> None:
    assert lm.score(history, word) == pytest.approx(decimal * math.log(10))


def test_words_are_normalised_as_transcripts_and_begin_somehow(lm: Ngram) -> None:
    assert lm.vocabulary == ["one", "two"] and lm.order == 2 and lm.open
    assert {"", "o", "on", "one", "t", "tw", "two"} <= lm.beginnings and "n" not in lm.beginnings


def test_a_compressed_file_is_the_same(lm: Ngram, tmp_path: Path) -> None:
    (tmp_path / "a.arpa.gz").write_bytes(gzip.compress(ARPA.encode()))
    assert read_arpa(tmp_path / "a.arpa.gz").grams == lm.grams


def test_without_unk_other_words_are_impossible(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text("\\1-grams:\n-1 one\n\\end\\\n")
    lm = read_arpa(tmp_path / "a.arpa")
    assert not lm.open and lm.score((), "two") == -math.inf == lm.unknown


def test_of_two_spellings_the_likelier_counts(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text("\\1-grams:\n-1 one\n-2 ONE\n-0.5 One\n\\end\\\n")
    assert read_arpa(tmp_path / "a.arpa").score((), "one") == pytest.approx(-0.5 * math.log(10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it does not end with \\end\\; the file is cut off"),
        ("hello\nworld\n", "it does not end with \\end\\"),
        ("\\data\\\n\\end\\\n", "has no n-gram"),
        ("\\1-grams:\n-1 one\n", "it does not end with \\end\\"),
        ("ngram 1=2\n\\1-grams:\n-1 one\n\\end\\\n", "it states ngram 1=2 and has 1; correct the count"),
        ("\\1-grams:\none -1\n", "line 2: 'one -1' is not a logarithm of at most 0, 1 word and at most one number"),
        ("\\1-grams:\n0.5 one\n", "line 2: '0.5 one' is not"),
        ("\\1-grams:\nnan one\n", "line 2: 'nan one' is not"),
        ("\\1-grams:\n-1 one\n\\2-grams:\n-1 one\n", "line 4: '-1 one' is not a logarithm of at most 0, 2 words"),
        ("\\1-grams:\n-1 one -1 -1\n", "line 2"),
        ("\\1-grams:\n-1 one\n\\3-grams:\n", "line 3: \\3-grams: comes where \\2-grams: is expected"),
        ("ngram 1=1\n\\1-grams:\n-1 one\n\\2-grams:\n-1 a b\n\\end\\", "states ngram 2=0 and has 1"),
    ],
)
def test_no_arpa_file(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text(text)
    with pytest.raises(ValueError, match=r"a\.arpa") as error:
        read_arpa(tmp_path / "a.arpa")
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["a.arpa", "a.arpa.gz"])
def test_a_binary_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"mmap lm http://kheafield.com/code format version 5\n\0\xff\xfe")
    with pytest.raises(ValueError, match=rf"{name}: no ARPA file \("):
        read_arpa(tmp_path / name)


def test_a_compressed_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    content = bytearray(gzip.compress("".join(f"-1 {number}\n" for number in range(5000)).encode()))
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "a.arpa.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.arpa\.gz: no ARPA file"):
        read_arpa(tmp_path / "a.arpa.gz")


def test_only_blanks_and_tabs_separate(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text("\\1-grams:\n-1 10\u202f000\n\\end\\\n", encoding="utf-8")
    assert len(read_arpa(tmp_path / "a.arpa").vocabulary) == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.arpa: can't be read \(No such file or directory\); give an ARPA file"):
        read_arpa(tmp_path / "none.arpa")
    with pytest.raises(OSError, match=r"can't be read \(Is a directory\)"):
        read_arpa(tmp_path)
