"""Numbers of a text in the words of its language; a number of doubtful meaning stays in digits."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from decimal import Decimal

import num2words

_SPACES = "\u00a0\u202f\u2009"  # those that keep what they part on one line: they group digits in any language
_APOSTROPHES = "'\u2019"
_TOKEN = re.compile(rf"(?<!\w)\d+(?:[ .,\u066b\u066c{_APOSTROPHES}{_SPACES}]\d+)*(?!\w)")
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
_MOST = defaultdict(lambda: 60, am=3)  # digits: above, num2words has no words, and searches for ever

# by the Unicode locale data: who writes 1,000.5 (the others: 1.000,5), who 1,00,000, and who groups digits by a space
_POINT = {"am", "bn", "cy", "es_GT", "es_NI", "he", "ja", "kn", "ko", "te", "th"}
_LAKHS = {"bn", "en_IN", "kn", "te"}
_SPACED = {"be", "cs", "eo", "fi", "fr", "hu", "kz", "lt", "lv", "no", "pl", "pt", "ru", "sk", "sv", "tg", "uk"}

# how num2words reads a fraction: not at all or wrongly; in tenths and hundredths; as a number, "three point fourteen"
_NO_FRACTIONS = {"ar", "ce", "cy", "fa"}
_IN_TENTHS = {"hu", "ru"}
_AS_NUMBER = {"az", "be", "cs", "kz", "lt", "lv", "pl", "sk", "sr", "tr", "uk"}
_JOINED = {"ja": "点", "th": "จุด"}
_POINT_WORDS = {"bn": "দশমিক", "id": "koma", "it": "virgola", "vi": "phẩy", **_JOINED}  # which num2words lacks


def parts(text: str, language: str) -> list[tuple[str, bool]]:
    """Returns the text in pieces, in order, each with whether it is a number that can't be spelt.

    Numbers that can be are in words. Digits are one number where they are grouped by threes as the language does: by
    its point or comma, an apostrophe, or a space that does not break. A plain space groups them where the language
    groups by spaces, or where a group begins with 0; else it might part two numbers, and nothing is spelt.
    """
    found, end = [], 0
    for token in _TOKEN.finditer(text):
        found.append((text[end : token.start()], False))
        for place, written in enumerate(_apart(token[0], language)):
            words = spelt(written, language)
            found += [(" ", False)] * (place > 0) + [(written, True) if words is None else (f" {words} ", False)]
        end = token.end()
    return [*found, (text[end:], False)]


def _apart(token: str, language: str) -> list[str]:
    """Returns the numbers of a token: those that spaces part; several as one where they may be one or several."""
    pieces = re.split(rf"[ {_SPACES}]", token)
    first, *groups = pieces
    whole = [*groups[:-1], *(re.split(r"\D", each)[0] for each in groups[-1:])]
    if not groups or int(first[0]) == 0 or not re.fullmatch(r"\d{1,3}", first):
        return pieces
    if not all(re.fullmatch(r"\d{3}", group) for group in whole):
        return pieces
    spaced = language in _SPACED or language.startswith("fr_")
    one_number = " " not in token or spaced or any(int(group[0]) == 0 for group in whole)
    return ["".join(pieces)] if one_number else [token]


def spelt(written: str, language: str) -> str | None:
    """Returns a number without spaces in words, lower case; None where it is not as the language writes numbers.

    >>> spelt("1.200,50", "de"), spelt("1'000", "de"), spelt("3.5", "de")
    ('eintausendzweihundert komma fünf null', 'eintausend', None)
    """
    thousands, decimal = (",", ".") if language in _POINT or language.startswith("en") else (".", ",")
    if language in ("ar", "fa"):  # which write either, and their own
        thousands, decimal = "\u066c", "\u066b"
    marks = [thousands, *_APOSTROPHES]
    grouped = "|".join(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+" for mark in marks)
    lakhs = r"|\d{1,2}(?:,\d{2})*,\d{3}" if language in _LAKHS else ""
    number = re.fullmatch(rf"({grouped}{lakhs}|\d+)(?:{re.escape(decimal)}(\d+))?", written)
    if number is None:
        return None
    whole = re.sub(r"\D", "", number[1])
    if len(whole) > _MOST[language] or (len(whole) > 1 and int(whole[0]) == 0):  # 007 is not spoken as 7
        return None
    return _words(int(whole), language) if number[2] is None else _with_fraction(int(whole), number[2], language)


def _with_fraction(whole: int, digits: str, language: str) -> str | None:
    if language in _NO_FRACTIONS or len(digits) > _MOST[language]:
        return None
    if language in _IN_TENTHS:
        return _words(Decimal(f"{whole}.{digits}"), language) if int(digits) else None
    point = _POINT_WORDS.get(language) or _in_lower_case(num2words.CONVERTER_CLASSES[language].pointword)
    rest = digits.lstrip("0") if language in _AS_NUMBER else ""
    numbers = [*map(int, digits.removesuffix(rest)), *([int(rest)] if rest else [])]
    words = [_words(number, language) for number in (whole, *numbers)]
    if None in words:
        return None
    return ("" if language in _JOINED else " ").join([str(words[0]), point, *map(str, words[1:])])


def ordinal(digits: str, language: str) -> str | None:
    """Returns the ordinal of digits in words, such as "twenty-first"; None where there are none."""
    return _words(int(digits), language, to="ordinal") if len(digits) <= _MOST[language] else None


def _words(number: int | Decimal, language: str, to: str = "cardinal") -> str | None:
    try:
        words = num2words.num2words(number, lang=language, to=to)
    except _FAULTS:
        return None
    return _in_lower_case(words) if words else None


def _in_lower_case(words: str) -> str:
    return unicodedata.normalize("NFC", words).lower().strip()
