"""Output without control characters, or characters that its encoding lacks: these are printed as escapes."""

from __future__ import annotations

import re
import shlex
import sys
from typing import Any, TextIO
from unicodedata import category

_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, format, half of a character, line and paragraph separators


def escaped(text: str, keep: str = "\n\t") -> str:
    """Returns the text with `\\x1b` and the like in place of characters that steer a terminal, but for those to keep.

    >>> print(escaped("a\\x1b[2Jb\\r\\u202ec"))
    a\\x1b[2Jb\\r\\u202ec
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if category(c) in _STEERING and c not in keep else c for c in text
    )


def one_line(text: object) -> str:
    """Returns the text as one line: a line break in a name is none of the output.

    >>> print(one_line("a\\nb"))
    a\\nb
    """
    return escaped(str(text), keep="")


def pasted(key: str, value: object) -> str:
    """Returns an override as one word of a command that a shell reads, in quotes where it needs them.

    >>> print(pasted("data.alphabet", "ab'"), pasted("data.train", "cv/o 3"), pasted("data.normalise", "de"))
    "data.alphabet=ab'" 'data.train=cv/o 3' data.normalise=de
    """
    text = str(value)
    taken_apart = "\\" in text or text != text.strip()  # by Hydra, which else takes what stands there
    word = f"{key}={quoted(text) if taken_apart else text}"
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def quoted(value: str) -> str:
    """Returns text in the quotes of Hydra's grammar, between which it stands for itself."""
    inside = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"'{inside}'"


class Escaping:
    """A stream that escapes what is written to it; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Writes the text, escaped, and returns its length as it was given."""
        self.stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def escape_output() -> None:
    """Has all that goes to the standard output and error from now on escaped, also what their encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Escaping):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, Escaping(stream))


def terminal(stream: TextIO) -> TextIO:
    """Returns the stream without escapes, for what steers the terminal on purpose."""
    found: Any = stream  # which typing takes for no Escaping
    return found.stream if isinstance(found, Escaping) else stream
