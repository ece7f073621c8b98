"""The nearest known name for a misspelt one."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import OSA


def nearest(word: str, known: Sequence[str]) -> str:
    """Returns "did you mean ...?" for the known name within two edits of the word (one up to five letters), else "".

    An edit changes, adds or takes away a letter, or swaps two neighbours. Capitals are no difference.

    >>> nearest("trian", ["train", "report"])
    "did you mean 'train'?"
    >>> nearest("prune", ["runs", "train"])
    ''
    """
    least, name = min(((OSA.distance(word.lower(), name.lower()), name) for name in known), default=(len(word), ""))
    return f"did you mean {name!r}?" if least <= (1 if len(word) <= 5 else 2) else ""


def choose(word: str, known: Sequence[str]) -> str:
    """Returns the nearest known name as a question, else the list of all.

    >>> choose("x", ["train", "report"])
    'choose one of train, report'
    """
    return nearest(word, known) or "choose one of " + ", ".join(known)
