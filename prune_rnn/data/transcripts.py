"""From a corpus's transcripts to those of the training: letters, numbers in words, little punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import partial

import num2words

from prune_rnn.data import spelling
from prune_rnn.printed import pasted
from prune_rnn.speech import text
from prune_rnn.usage import UsageError, shown

_SPOKEN = frozenset("%&@#*/\\§‰")  # punctuation by its category, and words by its use
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc`\u00b4", "'"))  # and marks in their place
_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b")
_DOTLESS = {"az", "tr"}  # whose capital I is that of the dotless letter
_SHOWN = 20  # characters that a message names


def languages() -> list[str]:
    """Returns the languages whose numbers can be spelt, by their codes."""
    return sorted(num2words.CONVERTER_CLASSES)


def check_language(key: str, language: str | None) -> None:
    """Raises UsageError that names the key where the numbers of a language can't be spelt."""
    if language is None or language in languages():
        return
    plain = language.lower().replace("-", "_")
    near = next((code for code in (plain, plain.partition("_")[0]) if code in languages()), None)
    way = f"did you mean {near!r}?" if near else f"give one of {', '.join(languages())}"
    raise UsageError(f"{key}={shown(language)}: no language of num2words; {way}")


def normalise(transcript: str, language: str | None, alphabet: str = text.ALPHABET) -> str:
    """Returns a transcript in lower case with single spaces; with a language also spelt.

    Numbers are then in that language's words, dashes are spaces, and only the alphabet's punctuation stays. Spoken
    signs, such as % and &, and numbers that can't be spelt stay; they are reported as outside the alphabet.

    >>> normalise("It's 1,200 - no, 21st!", "en"), normalise("Drei-vier, 3,5", "de")
    ("it's one thousand two hundred no twenty first", 'drei vier drei komma fünf')
    """
    if language is None:
        return text.normalise(transcript)
    found = unicodedata.normalize("NFC", transcript)
    if language in _DOTLESS:
        found = found.replace("I", "\u0131").replace("\u0130", "i")
    found = found.lower()
    if "'" in alphabet:
        found = found.translate(_APOSTROPHES)
    if language.startswith("en"):
        found = _ORDINAL.sub(partial(_ordinal, language=language), found)
    found = "".join(
        part if as_written else "".join(map(partial(_kept, alphabet=alphabet), part))
        for part, as_written in spelling.parts(found, language)
    )
    if "'" in alphabet:
        found = re.sub(r"(?<!\w)'|'(?!\w)", " ", found)  # quotation marks, and no apostrophes
    return text.normalise(found)


def _ordinal(written: re.Match[str], language: str) -> str:
    words = spelling.ordinal(written[1].replace(",", ""), language)
    return written[0] if words is None else words


def _kept(character: str, alphabet: str) -> str:
    category = unicodedata.category(character)
    if character in alphabet[1:] or character in _SPOKEN or not category.startswith("P"):
        return character
    return " " if category in ("Pd", "Pc") else ""


def unknown_message(unknown: Counter[str], alphabet: str, language: str | None, trained: bool = False) -> str:
    """Returns a message: characters outside the alphabet with counts, most frequent first, and the fix.

    trained: the alphabet is that of a finished network, which no key changes.
    """
    shown = ", ".join(f"{character!r} {count}" for character, count in unknown.most_common(_SHOWN))
    more = f" and {len(unknown) - _SHOWN} others" if len(unknown) > _SHOWN else ""
    found = f"outside the alphabet ({text.in_words(alphabet)}): {shown}{more}"
    letters = [character for character in unknown if unicodedata.category(character)[0] in "LM"]
    if trained:
        fixes = ["give --normalise LANGUAGE"] if language is None and len(letters) < len(unknown) else []
        fixes += ["correct the transcripts"] if letters or not fixes else []
        return f"{found}; this network writes no others: {' and '.join(fixes)}"
    fixes = []
    if letters:
        own = sorted({*alphabet[1:], *letters} - {" ", "'"}) + ["'"] * ("'" in alphabet)
        fixes.append(pasted("data.alphabet", "".join(own)))
    if len(letters) < len(unknown):
        words = ", with numbers in words" if any(map(str.isdigit, unknown)) else ""
        fixes.append(
            f"other transcripts for the rest{words}" if language else "data.normalise=LANGUAGE, such as en or de"
        )
    return f"{found}; give {' and '.join(fixes)}"
