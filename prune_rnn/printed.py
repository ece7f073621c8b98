"""Output in which control characters, and characters that its encoding lacks, are printed as escapes."""

from __future__ import annotations

import re
import shlex
import sys
from typing import Any, TextIO
from unicodedata import category

_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, format, half of a character, line and paragraph separators


def escaped(text: str, keep: str = "\n\t") -> str:
    """Returns the text with escapes such as `\\x1b` for characters that steer a terminal, except those in `keep`.

    >>> print(escaped("a\\x1b[2Jb\\r\\u202ec"))
    a\\x1b[2Jb\\r\\u202ec
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if category(c) in _STEERING and c not in keep else c for c in text
    )


def one_line(text: object) -> str:
    """Returns the text as one line: a line break is escaped too.

    >>> print(one_line("a\\nb"))
    a\\nb
    """
    return escaped(str(text), keep="")


def pasted(key: str, value: object) -> str:
    """Returns an override as one word for a shell, in quotes where it needs them.

    >>> print(pasted("data.alphabet", "ab'"), pasted("data.train", "cv/o 3"), pasted("data.normalise", "de"))
    "data.alphabet=ab'" 'data.train=cv/o 3' data.normalise=de
    """
    text = str(value)
    whole = text[:1] in ("'", '"') and text[-1] == text[0]
    changed = whole or "\\" in text or text != text.strip()  # Hydra reads such text otherwise, unless it is in quotes
    word = f"{key}={quoted(text) if changed else text}"
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def quoted(value: str) -> str:
    """Returns text in the quotes of Hydra's grammar, which make Hydra read it unchanged."""
    inside = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"'{inside}'"


class Escaping:
    """A stream that escapes its output, and otherwise behaves like the stream it wraps."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Writes the escaped text, and returns the length of the given one."""
        self.stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def escape_output() -> None:
    """Escapes all further text to the standard output and error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Escaping):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, Escaping(stream))


def terminal(stream: TextIO) -> TextIO:
    """Returns the stream without escapes, to steer the terminal on purpose."""
    found: Any = stream  # an Escaping is no TextIO
    return found.stream if isinstance(found, Escaping) else stream
