"""Transcripts as corpora have them become what is trained on, and nothing that is spoken is lost."""

from collections import Counter

import pytest

from prune_rnn.data.transcripts import check_language, normalise, unknown_message
from prune_rnn.speech.text import ALPHABET, alphabet_of

GERMAN = alphabet_of("abcdefghijklmnopqrstuvwxyzäöüß")


@pytest.mark.parametrize(
    ("language", "given", "wanted"),
    [
        ("en", "Don\u2019t  STOP!", "don't stop"),
        ("en", "\u2018Hi,\u2019 the dogs' owner said.", "hi the dogs owner said"),
        ("en", "well-known\u2014so, e.g. 3.5", "well known so eg three point five"),
        ("en", "In 1,984: 21st & 50%", "in one thousand nine hundred and eighty four twenty first & fifty %"),
        ("de", "Gro\u0308\u00dfe: 1.200 St\u00fcck", "größe eintausendzweihundert stück"),
        ("de", "Das kostet 3,5 \u20ac", "das kostet drei komma fünf \u20ac"),
        ("es", "\u00bfQu\u00e9? \u00a1S\u00ed, 20!", "qué sí veinte"),
        ("en", "MP3 player", "mp3 player"),
    ],
)
def test_a_language_spells_numbers_and_drops_punctuation(language: str, given: str, wanted: str) -> None:
    assert normalise(given, language, GERMAN if language == "de" else ALPHABET) == wanted


def test_without_a_language_only_case_and_spaces_change() -> None:
    assert normalise("  Don\u2019t, 3  STOP!", None) == "don\u2019t, 3 stop!"


def test_punctuation_of_the_alphabet_stays() -> None:
    assert normalise("a-b, c.", "en", alphabet_of("abc-")) == "a-b c"


def test_a_number_that_has_no_words_stays_and_is_reported() -> None:
    assert normalise("9" * 400, "en") == "9" * 400


def test_an_unknown_language_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"^data\.normalise=german: no language of num2words; give one of am, .*de"):
        check_language("data.normalise", "german")
    for nearly in ("DE", "de-AT", "de_CH"):
        with pytest.raises(ValueError, match=rf"^--language={nearly}: no language of num2words; did you mean 'de'\?$"):
            check_language("--language", nearly)


def test_the_way_out_can_be_pasted() -> None:
    found = unknown_message(Counter("äöö5"), ALPHABET, None)
    assert found.startswith("outside the alphabet (a-z, space, '): 'ö' 2, 'ä' 1, '5' 1; give \"data.alphabet=")
    assert '"data.alphabet=abcdefghijklmnopqrstuvwxyzäö\'" and data.normalise=LANGUAGE' in found


def test_many_characters_are_counted_and_few_are_named() -> None:
    assert "and 5 others" in unknown_message(Counter("".join(map(chr, range(0x4E00, 0x4E00 + 25)))), ALPHABET, None)


def test_a_number_that_has_no_words_is_to_be_written_in_words() -> None:
    assert unknown_message(Counter("3"), ALPHABET, "de").endswith(
        "give other transcripts for the rest, with numbers in words"
    )
    assert unknown_message(Counter("%"), ALPHABET, "de").endswith("give other transcripts for the rest")
