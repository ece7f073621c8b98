"""A language model of words from an ARPA file, as KenLM and SRILM write them."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prune_rnn.speech.text import normalise
from prune_rnn.usage import shown

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
_NATS = math.log(10)  # ARPA files have decimal logarithms
_MARKS = {mark.casefold(): mark for mark in (BEGIN, END, UNKNOWN)}
_SPACES = " \t\r\n"  # others may be part of a word
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ngram:
    """Log-probabilities and back-off weights of n-grams, in nats.

    grams: (log-probability, back-off weight) of one word or more. order: words of the longest.
    """

    grams: dict[Words, tuple[float, float]]
    order: int
    beginnings: frozenset[str] = field(init=False)  # of all words

    def __post_init__(self) -> None:
        words = (words[0] for words in self.grams if len(words) == 1)
        beginnings = frozenset(word[:end] for word in words for end in range(len(word) + 1))
        object.__setattr__(self, "beginnings", beginnings)

    @property
    def vocabulary(self) -> list[str]:
        """The words, without the marks of the beginning, the end and unknown words."""
        return [words[0] for words in self.grams if len(words) == 1 and words[0] not in _MARKS]

    @property
    def open(self) -> bool:
        """Whether words outside the vocabulary are possible: the file has <unk>."""
        return (UNKNOWN,) in self.grams

    @property
    def unknown(self) -> float:
        """Log-probability of a word outside the vocabulary; minus infinity where the file has no <unk>."""
        return self.grams.get((UNKNOWN,), (-math.inf, 0.0))[0]

    def score(self, history: Words, word: str) -> float:
        """Returns the log-probability of a word after others; the last `order` - 1 of them count.

        Source: Katz 1987; an n-gram that the file lacks backs off to a shorter one.
        """
        word = word if (word,) in self.grams else UNKNOWN
        history = history[len(history) - self.order + 1 :] if len(history) >= self.order else history
        history = tuple(each if (each,) in self.grams else UNKNOWN for each in history)
        backed_off = 0.0
        while history:
            if found := self.grams.get((*history, word)):
                return backed_off + found[0]
            backed_off += self.grams.get(history, (0.0, 0.0))[1]
            history = history[1:]
        return backed_off + (self.grams[word,][0] if (word,) in self.grams else -math.inf)


def read_arpa(path: Path) -> Ngram:
    """Returns the model of an ARPA file, also compressed by gzip. Words are normalised as transcripts are.

    ValueError that names the file, and the line where one is wrong. OSError where it can't be read.
    """
    grams: dict[Words, tuple[float, float]] = {}
    order = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, order, line in _entries(file):
                words, values = _entry(f"line {number}", line, order)
                if words not in grams or grams[words][0] < values[0]:  # words in upper and lower case become one
                    grams[words] = values
    except (UnicodeDecodeError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path}: no ARPA file ({error}); give the text file that KenLM's lmplz wrote") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except OSError as error:
        raise OSError(f"{path}: can't be read ({error.strerror}); give an ARPA file of words") from None
    if not grams:
        raise ValueError(f"{path}: has no n-gram; give the text file that KenLM's lmplz wrote")
    return Ngram(grams, order)


def _entries(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    r"""Yields number, order and text of each line between `\1-grams:` and `\end\`.

    ValueError where the end is missing, or there are not as many n-grams as the file states.
    """
    order = 0
    stated: dict[int, int] = {}
    found: Counter[int] = Counter()
    for number, line in enumerate(lines, 1):
        line = line.strip(_SPACES)
        if line == "\\end\\":
            for of in {*stated, *found} if stated else ():
                if found[of] != stated.get(of, 0):
                    raise ValueError(f"it states ngram {of}={stated.get(of, 0)} and has {found[of]}; correct the count")
            return
        if section := re.fullmatch(r"\\(\d+)-grams:", line):
            order += 1
            if int(section[1]) != order:
                raise ValueError(f"line {number}: {line} comes where \\{order}-grams: is expected; the file is damaged")
        elif order and line:
            found[order] += 1
            yield number, order, line
        elif header := re.fullmatch(r"ngram (\d+)\s*=\s*(\d+)", line):
            stated[int(header[1])] = int(header[2])
    raise ValueError("it does not end with \\end\\; the file is cut off, or no ARPA file")


def _entry(where: str, line: str, order: int) -> tuple[Words, tuple[float, float]]:
    """Returns the words of a line, its log-probability and its back-off weight (0 where it has none)."""
    first, *rest = re.split(f"[{_SPACES}]+", line)
    try:
        probability = _NATS * float(first)
        backing_off = _NATS * float(rest[order]) if len(rest) > order else 0.0
    except ValueError:
        probability = backing_off = math.nan
    if len(rest) not in (order, order + 1) or math.isnan(probability + backing_off) or probability > 0:
        wanted = f"a logarithm of at most 0, {order} word{'s' * (order > 1)} and at most one number"
        raise ValueError(f"{where}: {shown(line)!r} is not {wanted}; the file is damaged")
    return tuple(_MARKS.get(word.casefold()) or normalise(word) for word in rest[:order]), (probability, backing_off)
