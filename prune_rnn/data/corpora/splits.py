"""Train, dev and test for corpora that have no such splits: by speaker, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

_MUCH = 1.5  # times the mean: a speaker with more speech is the last to be set aside
SHARE = 0.1  # of the speech: the least for a split that the corpus lacks


def missing(splits: Sequence[str | None]) -> list[str]:
    """Returns those of test and dev that are missing.

    >>> missing([None, None]), missing(["train", "test"]), missing(["train", "dev", "test"])
    (['test', 'dev'], ['dev'], [])
    """
    return [split for split in ("test", "dev") if split not in splits]


def assign(seconds: Mapping[str, float], wanted: Sequence[str]) -> dict[str, str]:
    """Returns the split of each speaker: each wanted one gets SHARE of the speech or more, train the rest.

    seconds: of speech, by speaker; more speakers than wanted splits.
    """
    total = sum(seconds.values())
    much = _MUCH * total / len(seconds)
    left = sorted(seconds, key=lambda each: (seconds[each] > much, hashlib.sha256(each.encode()).hexdigest()))
    found = {}
    for index, split in enumerate(wanted):
        got, later = 0.0, len(wanted) - index  # speakers that the splits to come need at least
        while len(left) > later and (got == 0 or got + seconds[left[0]] / 2 < SHARE * total):
            got += seconds[left[0]]
            found[left.pop(0)] = split
    return found | dict.fromkeys(left, "train")


def in_order(count: int, wanted: Sequence[str]) -> list[str]:
    """Returns the split of each of `count` recordings of one speaker, in their order: the last ones are dev and test.

    >>> in_order(10, ["test", "dev"])
    ['train', 'train', 'train', 'train', 'train', 'train', 'train', 'train', 'dev', 'test']
    """
    each = max(1, round(SHARE * count))
    last = [split for split in reversed(wanted) for _ in range(each)]
    return (["train"] * (count - len(last)) + last)[:count]
