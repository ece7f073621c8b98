"""Runs are compared utterance by utterance, on what all of them were tested on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.between import between, compare
from prune_rnn.run.store import Run


def test_better_and_worse_utterances_are_counted_and_shown(fabricate: Callable[..., Run]) -> None:
    """Of 22 characters: 5, 6 and 7 edits against 4, 6 and 9: one better by 1, one the same, one worse by 2."""
    first, other = fabricate("gru_dense", edits=[5, 6, 7]).folder, fabricate("gru_sparse", edits=[4, 6, 9]).folder
    (found,) = between([first, other])[2]
    assert found.changes == [-1, 0, 2] and found.relative == pytest.approx(-1 / 18)
    assert found.relative is not None and found.interval is not None
    assert found.interval.low < found.relative < found.interval.high
    text = compare([first, other], 5)
    row = next(line for line in text.splitlines() if line.startswith(other.name))
    assert row.split()[-3:] == ["1", "1", "1"] and "over utterances of the test split" in text
    assert f"{other.name}, better: 1 edits" in text and f"{other.name}, worse: 2 edits" in text


def test_several_runs_are_compared_with_the_first(fabricate: Callable[..., Run]) -> None:
    folders = [fabricate(model, edits=[5, 6]).folder for model in ("gru_dense", "gru_sparse", "gru_sparse_big")]
    lines = compare(folders, 0).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == [folder.name for folder in folders]
    assert "better:" not in "\n".join(lines)


def test_speakers_count_where_there_are_two() -> None:
    runs = Path(__file__).parents[2] / "results" / "runs"
    text = compare([runs / "gru_dense-05c9bf3be5", runs / "gru_sparse-36e8f206d7"], 0)
    assert "-17.9 (-21.6 to -14.4)" in text and "over speakers of the test split" in text


def test_what_can_not_be_compared_is_named(fabricate: Callable[..., Run], tmp_path: Path) -> None:
    first = fabricate("gru_dense", edits=[5, 6]).folder
    with pytest.raises(ValueError, match="holds no finished run"):
        between([first, tmp_path])
    with pytest.raises(ValueError, match=r"on the same utterances; leave one out, or decode one .* by `prune-rnn eval"):
        between([first, fabricate("gru_sparse", edits=[5]).folder])
    with pytest.raises(ValueError, match="has no hypotheses"):
        between([first, fabricate("rnn_dense", heard=False).folder])


def test_no_difference_has_no_minus_sign(fabricate: Callable[..., Run]) -> None:
    run = fabricate("gru_dense", edits=[5, 6, 7]).folder
    row = compare([run, run], 0).splitlines()[3]
    assert "+0.0 (+0.0 to +0.0)" in row and "-0.0" not in row
