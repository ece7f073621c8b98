"""Each word has the time at which it was recognised; subtitles hold all words in order."""

import json
from pathlib import Path

import pytest
import torch

from prune_rnn.deploy.words import FORMATS, Word, as_json, as_srt, as_vtt, best_path, words
from prune_rnn.speech.text import ALPHABET, greedy


def path(symbols: str) -> torch.Tensor:
    """Returns log-probabilities whose best path is these symbols, one a frame."""
    labels = torch.tensor([ALPHABET.index(symbol) for symbol in symbols])
    return torch.nn.functional.one_hot(labels, len(ALPHABET)).float().log_softmax(-1)


def timed(log_probs: torch.Tensor, alphabet: str) -> list[Word]:
    return words(best_path(log_probs, alphabet))


def test_a_word_lasts_from_its_first_character_to_its_last() -> None:
    """Frames of 20 ms: `ab` in frames 2 to 5, `c` in 8 and 9, and `d` in the last one."""
    assert timed(path("__aab_  cc_ d"), ALPHABET) == [
        Word("ab", 0.04, 0.1),
        Word("c", 0.16, 0.2),
        Word("d", 0.24, 0.26),
    ]


def test_a_word_with_a_pause_in_it_has_the_time_of_the_part_with_most_characters() -> None:
    """More than a second, 50 frames, without a character is a pause."""
    assert timed(path("s" + 60 * "_" + "ix"), ALPHABET) == [Word("six", 1.22, 1.26)]
    assert timed(path("s" + 50 * "_" + "ix"), ALPHABET) == [Word("six", 0.0, 1.06)]
    assert timed(path("six" + 52 * "_" + "x"), ALPHABET) == [Word("sixx", 0.0, 0.06)]
    assert timed(path("six" + 52 * "_" + "xxxxxx"), ALPHABET) == [Word("sixx", 0.0, 0.06)]  # the most characters


@pytest.mark.parametrize("symbols", ["", "___", "  a", "a_a a", "a  _ b ", "'t_t"])
def test_the_words_are_those_of_the_greedy_text(symbols: str) -> None:
    log_probs = path(symbols) if symbols else torch.zeros(0, len(ALPHABET))
    assert [word.word for word in timed(log_probs, ALPHABET)] == greedy(log_probs).split()


def test_json_is_one_line_with_all_words() -> None:
    line = as_json(Path("a.wav"), [Word("größe", 0.5, 1.0)])
    assert "\n" not in line and json.loads(line)["words"] == [{"word": "größe", "start": 0.5, "end": 1.0}]


def test_subtitles_are_as_their_formats_have_them() -> None:
    found = [Word("one", 0.5, 0.9), Word("two", 1.0, 1.25), Word("three", 3700.0, 3700.5)]
    assert as_srt(Path("a"), found) == (
        "1\n00:00:00,500 --> 00:00:01,250\none two\n\n2\n01:01:40,000 --> 01:01:40,500\nthree\n"
    )
    assert as_vtt(Path("a"), found) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\none two\n\n01:01:40.000 --> 01:01:40.500\nthree\n"
    )


def test_a_subtitle_is_short_enough_to_read_and_no_word_is_lost() -> None:
    found = [Word(f"word{number}", number * 0.5, number * 0.5 + 0.4) for number in range(100)]
    lines = [line for line in as_vtt(Path("a"), found).splitlines() if line.startswith("word")]
    assert " ".join(lines).split() == [word.word for word in found] and max(map(len, lines)) <= 80
    assert len(lines) == 9  # 12 words of half a second are 6 s


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_without_words_is_a_valid_file(name: str) -> None:
    assert FORMATS[name](Path("a"), []).strip() in ("", "WEBVTT", '{"audio": "a", "text": "", "words": []}')
