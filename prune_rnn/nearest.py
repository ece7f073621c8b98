"""The nearest known name for a misspelt one."""

from __future__ import annotations

from collections.abc import Sequence


def nearest(word: str, known: Sequence[str]) -> str:
    """Returns "did you mean ...?" for the known name within two edits of the word (one up to five letters), else "".

    An edit changes, adds or takes away a letter, or swaps two neighbours. Capitals are no difference.

    >>> nearest("trian", ["train", "report"])
    "did you mean 'train'?"
    >>> nearest("prune", ["runs", "train"])
    ''
    """
    least, name = min(((_edits(word.lower(), name.lower()), name) for name in known), default=(len(word), ""))
    return f"did you mean {name!r}?" if least <= (1 if len(word) <= 5 else 2) else ""


def choose(word: str, known: Sequence[str]) -> str:
    """Returns the nearest known name as a question, else the list of all.

    >>> choose("x", ["train", "report"])
    'choose one of train, report'
    """
    return nearest(word, known) or "choose one of " + ", ".join(known)


def _edits(one: str, other: str) -> int:
    """Returns the optimal string alignment distance of two words."""
    before, last = [0], list(range(len(other) + 1))
    for row, a in enumerate(one, 1):
        here = [row]
        for column, b in enumerate(other, 1):
            here.append(min(last[column] + 1, here[-1] + 1, last[column - 1] + (a != b)))
            if row > 1 and column > 1 and (a, b) == (other[column - 2], one[row - 2]):
                here[-1] = min(here[-1], before[column - 2] + 1)
        before, last = last, here
    return last[-1]
