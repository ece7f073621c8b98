"""Errors are counted over the corpus, edit by edit, and spaces are characters."""

import pytest

from prune_rnn.speech.scores import ErrorRate, error_rates


@pytest.mark.parametrize(
    ("reference", "hypothesis", "cer", "wer"),
    [  # (insertions, deletions, substitutions) in characters, in words
        ("a cat", "a cat", (0, 0, 0), (0, 0, 0)),
        ("a cat", "acat", (0, 1, 0), (0, 1, 1)),  # a lost space is one character, and two words' worth of errors
        ("acat", "a cat", (1, 0, 0), (1, 0, 1)),
        ("a cat", "a bat", (0, 0, 1), (0, 0, 1)),
        ("a cat", "", (0, 5, 0), (0, 2, 0)),
        ("dog", "dogs", (1, 0, 0), (0, 0, 1)),
        ("one two", "one two two", (4, 0, 0), (1, 0, 0)),
        ("it's", "its", (0, 1, 0), (0, 0, 1)),
    ],
)
def test_edits_by_hand(reference: str, hypothesis: str, cer: tuple[int, int, int], wer: tuple[int, int, int]) -> None:
    for found, edits, length in zip(
        error_rates([reference], [hypothesis]), (cer, wer), (len(reference), len(reference.split())), strict=True
    ):
        assert found == ErrorRate(sum(edits) / length, *edits, length)


@pytest.mark.parametrize(("hypothesis", "inserted"), [(" cat", 1), ("cat ", 1), (" cat ", 2), ("c  at", 2)])
def test_spaces_at_the_ends_count_like_any_other(hypothesis: str, inserted: int) -> None:
    cer, _ = error_rates(["cat"], [hypothesis])
    assert (cer.insertions, cer.deletions, cer.substitutions) == (inserted, 0, 0)


def test_rates_are_of_the_corpus_and_not_a_mean_over_utterances() -> None:
    cer, wer = error_rates(["a", "nine letters"], ["b", "nine letters"])
    assert cer == ErrorRate(1 / 13, 0, 0, 1, 13)  # a mean over utterances would be 1/2
    assert wer == ErrorRate(1 / 3, 0, 0, 1, 3)


def test_a_rate_can_pass_one() -> None:
    cer, _ = error_rates(["a"], ["abc"])
    assert cer.rate == 2
