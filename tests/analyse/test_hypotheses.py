"""The file of hypotheses: what is read, what is refused, and edits counted by hand."""

import json
from pathlib import Path

import pytest

from prune_rnn import paths
from prune_rnn.analyse.hypotheses import Utterance, edits, read


def test_utterances_come_in_their_order(tmp_path: Path) -> None:
    lines = [
        {"reference": "a cat", "hypothesis": ""},
        {"reference": "dog's", "hypothesis": " dogs ", "speaker": "en+m1"},
    ]
    (tmp_path / paths.HYPOTHESES).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read(tmp_path) == [Utterance("a cat", ""), Utterance("dog's", " dogs ", "en+m1")]


def test_speakers_are_reported_where_all_are_known() -> None:
    known = [Utterance("a", "a", "m1"), Utterance("b", "", "f1")]
    assert edits(known).speakers == ("m1", "f1")
    assert edits([*known, Utterance("c", "c")]).speakers == ()


def test_one_speaker_is_no_speaker_to_draw_by() -> None:
    assert edits([Utterance("a", "a", "m1"), Utterance("b", "", "m1")]).speakers == ()


def test_a_run_without_them_has_none(tmp_path: Path) -> None:
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b'{"reference": "a", "hypothesis": "a"}\n{"refer', "line 2 is not JSON"),
        (b'{"reference": "a"}\n', "line 1 lacks"),
        (b'["a", "b"]\n', "line 1 lacks"),
        (b'{"reference": "a", "hypothesis": 3}\n', "line 1 lacks"),
        (b'{"reference": "", "hypothesis": "a"}\n', "line 1 has an empty reference"),
        (b'{"reference": "a", "hypothesis": "a", "speaker": 1}\n', "line 1 has a speaker that is no name"),
    ],
)
def test_damage_is_named_with_file_line_and_way_out(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / paths.HYPOTHESES).write_bytes(content)
    with pytest.raises(ValueError, match=what) as raised:
        read(tmp_path)
    assert str(tmp_path / paths.HYPOTHESES) in str(raised.value) and "train again" in str(raised.value)


def test_edits_are_counted_by_character_with_spaces() -> None:
    """Nothing; the space lost; a space too many at either end; all of it lost."""
    heard = [("ab c", "ab c"), ("ab c", "abc"), ("ab c", " ab c "), ("ab c", "")]
    counted = edits([Utterance(*pair) for pair in heard])
    assert counted.counts.tolist() == [0, 1, 2, 4] and counted.lengths.tolist() == [4, 4, 4, 4]
    assert counted.references == ("ab c",) * 4
