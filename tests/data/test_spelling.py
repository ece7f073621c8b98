"""A number becomes the words of its language, or stays as it is written: never other words."""

import unicodedata

import pytest

from prune_rnn.data.spelling import parts, spelt
from prune_rnn.data.transcripts import languages, normalise
from prune_rnn.speech.text import alphabet_of

every_language = pytest.mark.parametrize("language", languages())
DECIMAL = {"ar": "\u066b", "fa": "\u066b"} | dict.fromkeys(
    ["am", "bn", "cy", "en", "en_IN", "en_NG", "es_GT", "es_NI", "he", "ja", "kn", "ko", "te", "th"], "."
)


@every_language
def test_whole_numbers_have_words_in_every_language_and_each_its_own(language: str) -> None:
    words = [spelt(str(number), language) for number in range(200)]
    assert None not in words and len(set(words)) == 200


@every_language
def test_a_fraction_loses_no_digit_in_any_language_or_has_no_words(language: str) -> None:
    mark = DECIMAL.get(language, ",")
    numbers = ["3", "5", "350", *(f"3{mark}{digits}" for digits in ("5", "50", "05", "14", "45", "005", "145"))]
    words = [found for number in numbers if (found := spelt(number, language)) is not None]
    assert len(set(words)) == len(words) == (3 if language in ("ar", "ce", "cy", "fa") else 10)
    letters = "".join(words).replace(" ", "").replace("-", "").replace("'", "")
    assert all(unicodedata.category(character)[0] in "LM" for character in letters)


@pytest.mark.parametrize(
    ("language", "written", "words"),
    [
        ("id", "35", "tiga puluh lima"),
        ("vi", "35", "ba mươi lăm"),
        ("fa", "35", "سی و پنج"),
        ("it", "3,5", "tre virgola cinque"),
        ("it", "3,05", "tre virgola zero cinque"),
        ("tr", "3,5", "üç virgül beş"),
        ("vi", "3,05", "ba phẩy không năm"),
        ("ru", "3,05", "три целых пять сотых"),
        ("cs", "3,14", "tři celá čtrnáct"),
        ("en", "3.50", "three point five zero"),
        ("en", "2.0", "two point zero"),
        ("ja", "3.05", "三点零五"),
        ("he", "1,000", "אלף"),
        ("en_IN", "1,00,000", "one lakh"),
        ("de", "2.000.000", "zwei millionen"),
        ("de", "1'000", "eintausend"),
        ("de", "1\u2019000", "eintausend"),
    ],
)
def test_by_hand(language: str, written: str, words: str) -> None:
    assert spelt(written, language) == words


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("cy", "3.5"),  # no words for it
        ("ar", "3\u066b5"),
        ("de", "3.5"),  # a date, a chapter or an English decimal
        ("de", "24.12.2020"),
        ("en", "3,5"),
        ("en", "1,00,000"),
        ("de", "1.00"),
        ("en", "12,34"),
        ("en", "007"),
        ("ru", "2,0"),
        ("am", "1234567"),  # for which num2words searches without an end
        ("en", "9" * 5000),  # more than Python makes a number of
    ],
)
def test_what_would_be_a_guess_has_no_words(language: str, written: str) -> None:
    assert spelt(written, language) is None


@pytest.mark.parametrize(
    ("language", "given", "wanted"),
    [
        ("fr", "12\u202f345 km", "douze mille trois cent quarante cinq km"),
        ("fr", "12\u00a0345 km", "douze mille trois cent quarante cinq km"),
        ("fr", "2 000 000", "deux millions"),
        ("fr", "1 234,5", "mille deux cent trente quatre virgule cinq"),
        ("fr", "les 2 345 pas", "les deux mille trois cent quarante cinq pas"),
        ("de", "2 000 000 und 1 000", "zwei millionen und eintausend"),
        ("de", "1 234", "1 234"),  # one number or two
        ("de", "12 34", "zwölf vierunddreißig"),
        ("de", "12\u00a034", "zwölf vierunddreißig"),
        ("de", "2020 100", "zweitausendzwanzig einhundert"),
        ("de", "um 3.5 oder 3,5", "um 3.5 oder drei komma fünf"),  # the mark stays, so that it is reported
        ("en", "the 1,000th", "the one thousandth"),
        ("tr", "I\u015f\u0131k IRMAK \u0130zmir", "\u0131\u015f\u0131k \u0131rmak izmir"),
        ("tr", "I\u0307zmir", "izmir"),
    ],
)
def test_in_a_transcript(language: str, given: str, wanted: str) -> None:
    assert normalise(given, language, alphabet_of("abcdefghijklmnopqrstuvwxyzäöüß")) == wanted


def test_pieces_join_to_the_text_but_for_the_words() -> None:
    assert parts("a 3,5 b", "cy") == [("a ", False), ("3,5", True), (" b", False)]
