"""Transcripts go to labels and back without loss, and nothing outside the alphabet passes unnoticed."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from prune_rnn.speech.text import (
    ALPHABET,
    BLANK,
    SingleSpaces,
    alphabet_of,
    check_characters,
    encode,
    frames_needed,
    greedy,
    normalise,
    unknown_characters,
)

SPELLED = ALPHABET.replace("_", "")


def one_hot(path: str) -> Tensor:
    """Log-probabilities (frames, symbols) whose best path is the given one; "_" is the blank."""
    labels = torch.tensor([ALPHABET.index(symbol) for symbol in path])
    return torch.nn.functional.one_hot(labels, len(ALPHABET)).float().log_softmax(-1)


def test_alphabet_is_the_papers() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 29
    assert set(SPELLED) == set("abcdefghijklmnopqrstuvwxyz '")


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("  Hello\tWORLD \n", "hello world"),
        ("It's", "it's"),
        ("a  -  b!", "a - b!"),  # only case and spaces change
        ("é_7", "é_7"),
        (" \n ", ""),
        ("Gru\u0308\u00df", "gr\u00fc\u00df"),  # and a letter with its mark is one character, where there is one
    ],
)
def test_normalise(raw: str, normal: str) -> None:
    assert normalise(raw) == normal


@pytest.mark.parametrize(
    ("transcript", "unknown"),
    [("it's fine", ""), ("", ""), ("za!a!0", "!0"), ("a_b", "_"), ("A", "A"), ("a\tb", "\t"), ("café", "é")],
)
def test_each_unknown_character_is_named_once_sorted(transcript: str, unknown: str) -> None:
    assert unknown_characters(transcript) == unknown


@pytest.mark.parametrize("transcript", ["a_b", "Ab", "naïve", "a\nb"])
def test_encode_refuses_what_the_alphabet_lacks(transcript: str) -> None:
    with pytest.raises(ValueError, match=r"outside the alphabet") as error:
        encode(transcript)
    assert repr(unknown_characters(transcript)) in str(error.value)


def test_encode_by_hand() -> None:
    assert encode("' az") == [1, 2, 3, 28]
    assert encode("") == []


@pytest.mark.parametrize(
    ("labels", "frames"), [([], 0), ([5], 1), ([5, 6], 2), ([5, 5], 3), ([5, 5, 5], 5), ([3, 3, 4, 3, 3], 7)]
)
def test_frames_needed_by_hand(labels: list[int], frames: int) -> None:
    assert frames_needed(labels) == frames


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("aab", "ab"),  # repeats merge
        ("a_a", "aa"),  # but not across a blank
        ("_a_", "a"),
        ("____", ""),
        ("aa_aab__bb", "aabb"),
        ("a  b", "a b"),  # a space is a symbol like any other
        ("a _ b", "a  b"),
        ("' _'", "' '"),
        ("aba", "aba"),
    ],
)
def test_greedy_merges_repeats_then_drops_blanks(path: str, text: str) -> None:
    assert greedy(one_hot(path)) == text


@given(st.text(SPELLED, max_size=12))
def test_the_shortest_path_of_any_text_decodes_to_it_and_has_the_frames_needed(text: str) -> None:
    path = ""
    for symbol in text:
        path += "_" + symbol if path.endswith(symbol) else symbol
    assert frames_needed(encode(text)) == len(path)
    if path:
        assert greedy(one_hot(path)) == text


@given(st.text(SPELLED))
def test_encode_keeps_every_character_and_never_gives_the_blank(text: str) -> None:
    labels = encode(text)
    assert "".join(ALPHABET[label] for label in labels) == text
    assert BLANK not in labels


def test_another_alphabet_has_its_own_labels() -> None:
    own = alphabet_of("bäa")
    assert own == "_ abä" and encode("ä b", own) == [4, 1, 3]
    with pytest.raises(ValueError, match=r"characters outside the alphabet \(space, abä\): 'c'"):
        encode("abc", own)


@pytest.mark.parametrize(
    ("characters", "message"),
    [
        ("aba", "'a' more than once"),
        ("aB", "'B', which no transcript in lower case"),
        ("a\t", r"'\\t', which no transcript"),
        ("a\u0340", "'\u0340', which no transcript"),  # in NFC always another mark
        (" ", "no character"),
    ],
)
def test_an_alphabet_that_can_not_serve_is_refused(characters: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"data.alphabet: has {message}"):
        check_characters("data.alphabet", characters)
    check_characters("data.alphabet", "aäß' ")


@pytest.mark.parametrize("mark", ["\u0302", "\u0308", "\u0301", "\u0331", "\u0e31", "\u3099"])
def test_an_alphabet_may_have_a_mark_that_makes_one_character_with_some_letters(mark: str) -> None:
    check_characters("data.alphabet", f"abn{mark}")


def test_a_letter_that_has_no_character_with_its_mark_has_two_labels() -> None:
    assert encode(normalise("N\u0302 A\u0302"), alphabet_of("n\u0302\u00e2")) == [2, 4, 1, 3]


@given(st.text(st.characters(categories=["L", "M"]), max_size=6))
def test_the_letters_of_any_transcript_make_an_alphabet(transcript: str) -> None:
    if letters := "".join(sorted(set(normalise(transcript)) - {" "})):
        check_characters("data.alphabet", letters)


@pytest.mark.parametrize("pieces", [["  one  two "], ["", " ", " one", " ", " ", "two", " "], [*"  one  two "]])
def test_spaces_at_the_ends_and_after_a_space_are_left_out(pieces: list[str]) -> None:
    spaces = SingleSpaces()
    assert "".join(map(spaces.feed, pieces)) == "one two"
