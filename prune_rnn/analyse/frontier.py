"""Networks of one seed against a baseline, and pruned ones against dense ones of their size or of their CER."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prune_rnn.analyse.bootstrap import RESAMPLES, by_speaker
from prune_rnn.analyse.hypotheses import Edits


@dataclass(frozen=True, slots=True)
class Network:
    """One run. nonzero: its parameters that are not zero."""

    nonzero: int
    dense: bool
    edits: Edits


@dataclass(frozen=True, slots=True)
class Gain:
    """A relative performance and its 95 % interval over speakers, fractions."""

    relative: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a network stands; None where there is nothing to compare with.

    baseline: against the baseline's CER. at_size: against the dense networks' CER at its size, linear in the logarithm
    of the parameters. larger: by how much a dense network of its CER is larger.
    """

    baseline: Gain | None
    at_size: Gain | None
    larger: float | None


def places(networks: Sequence[Network], baseline: int | None) -> list[Place]:
    """Returns the place of each network. baseline: the number of the one that all are compared with.

    Raises ValueError where they were not tested on the same utterances.
    """
    if not networks:
        return []
    first = networks[0].edits
    if any(each.edits.references != first.references for each in networks):
        raise ValueError("they were not tested on the same utterances in the same order")
    speakers = first.speakers or [str(number) for number in range(len(first.references))]
    counts = np.array([by_speaker(each.edits.counts, speakers) for each in networks])
    lengths = by_speaker(first.lengths, speakers)
    random = np.random.default_rng(0)
    drawn = random.multinomial(len(lengths), np.full(len(lengths), 1 / len(lengths)), size=RESAMPLES)
    drawn = np.vstack([np.ones(len(lengths)), drawn])  # the first is the split itself
    cer = (drawn @ counts.T) / (drawn @ lengths)[:, None]  # (resamples, networks)
    dense = sorted((i for i, each in enumerate(networks) if each.dense), key=lambda i: networks[i].nonzero)
    sizes = np.log([networks[i].nonzero for i in dense])
    found = []
    for number, each in enumerate(networks):
        own, size = cer[:, number], float(np.log(each.nonzero))
        against = None if baseline in (None, number) else _gain(cer[:, baseline], own)
        at_size = larger = None
        if not each.dense and dense and sizes[0] <= size <= sizes[-1]:
            at_size = _gain(np.array([np.interp(size, sizes, one[dense]) for one in cer]), own)
        curve = cer[0, dense][::-1]  # falling with size: rising in this order
        if not each.dense and dense and curve[0] <= own[0] <= curve[-1]:
            larger = float(np.exp(np.interp(own[0], curve, sizes[::-1])) / each.nonzero)
        found.append(Place(against, at_size, larger))
    return found


def _gain(theirs: NDArray[np.float64], own: NDArray[np.float64]) -> Gain:
    """Returns the gain of the first resample, which is the split itself, and the interval of all others."""
    relative = (theirs - own) / theirs
    low, high = np.quantile(relative[1:], [0.025, 0.975])
    return Gain(float(relative[0]), float(low), float(high))
