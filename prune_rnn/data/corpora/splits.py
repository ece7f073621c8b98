"""Train, dev and test for corpora that have no such splits: by speaker, the same on every machine."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

SHARE = 0.1  # of the speech, that a split for which there is none gets at least


def missing(splits: Sequence[str | None]) -> list[str]:
    """Returns the splits to be made: all where there is none, dev where it alone is missing.

    >>> missing([None, None]), missing(["train", "test"]), missing(["train", "dev", "test"])
    (['test', 'dev'], ['dev'], [])
    """
    return [split for split in ("test", "dev") if split not in splits]


def assign(seconds: Mapping[str, float], wanted: Sequence[str]) -> dict[str, str]:
    """Returns the split of each speaker: each wanted one gets SHARE of the speech or more, train the rest.

    seconds: of speech, by speaker. ValueError where there are too few speakers.
    """
    if len(seconds) <= len(wanted):
        raise ValueError(f"{len(seconds)} speakers for {len(wanted) + 1} splits")
    left = sorted(seconds, key=lambda speaker: hashlib.sha256(speaker.encode()).hexdigest())
    found, total = {}, sum(seconds.values())
    for place, split in enumerate(wanted):
        got, later = 0.0, len(wanted) - place  # speakers that the splits to come need at least
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
    ends: list[str] = []
    for split in wanted:
        ends = [split] * each + ends
    return (["train"] * count + ends)[-count:] if count > len(ends) else ends[:count]


def by_speaker(speakers: Sequence[str | None], seconds: Sequence[float]) -> dict[str, float]:
    """Returns the seconds of each speaker."""
    found: defaultdict[str, float] = defaultdict(float)
    for speaker, own in zip(speakers, seconds, strict=True):
        found[speaker or ""] += own
    return dict(found)
