"""The nearest known name for a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(word: str, known: Sequence[str]) -> str:
    """Returns "did you mean ...?" where a known name is near, but for capitals, else the list of all.

    >>> nearest("tran", ["train", "report"])
    "did you mean 'train'?"
    >>> nearest("GRU_sparse", ["rnn_sparse", "gru_sparse"])
    "did you mean 'gru_sparse'?"
    """
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {names[close[0]]!r}?" if close else "choose one of " + ", ".join(known)
