"""Networks of one seed against a baseline, and pruned ones against dense ones of their size or of their CER."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.interval import Interval, Spread, counted, interval


@dataclass(frozen=True, slots=True)
class Network:
    """One run. nonzero: its parameters that are not zero."""

    nonzero: int
    dense: bool
    edits: Edits


@dataclass(frozen=True, slots=True)
class Gain:
    """A relative performance, a fraction, and its interval."""

    relative: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Place:
    """Where a network stands; None where there is nothing to compare with.

    baseline: against the baseline's CER. at_size: against the dense networks' CER at its size, linear in the logarithm
    of the parameters. larger: by how much a dense network of its CER is larger.
    """

    baseline: Gain | None
    at_size: Gain | None
    larger: float | None


def places(networks: Sequence[Network], baseline: int | None, spread: Spread | None) -> list[Place]:
    """Returns the place of each network. baseline: the number of the one that all are compared with.

    spread: of the seeds of networks that were trained as these. Raises ValueError where they were not tested on the
    same utterances, and where there are not two speakers.
    """
    if not networks:
        return []
    edits = counted([[each.edits] for each in networks])
    every = edits.sum(axis=1)
    dense = sorted((i for i, each in enumerate(networks) if each.dense), key=lambda i: networks[i].nonzero)
    sizes = np.log([networks[i].nonzero for i in dense])
    found = []
    for number, each in enumerate(networks):
        size = math.log(each.nonzero)
        against = at_size = larger = None
        if baseline is not None and baseline != number:
            against = _gain(edits, number, {baseline: 1.0}, spread)
        if not each.dense and dense and sizes[0] <= size <= sizes[-1]:
            shares = {i: float(np.interp(size, sizes, np.eye(len(dense))[place])) for place, i in enumerate(dense)}
            at_size = _gain(edits, number, shares, spread)
        curve = every[dense][::-1]  # falling with size: rising in this order
        if not each.dense and dense and curve[0] <= every[number] <= curve[-1]:
            larger = float(np.exp(np.interp(every[number], curve, sizes[::-1])) / each.nonzero)
        found.append(Place(against, at_size, larger))
    return found


def _gain(edits: NDArray[np.float64], own: int, theirs: Mapping[int, float], spread: Spread | None) -> Gain:
    """Returns the gain over a mean of networks. theirs: the share of each, which add up to 1."""
    shares = np.array([theirs.get(number, 0.0) for number in range(len(edits))])

    def log_ratio(of: NDArray[np.float64]) -> float:
        return math.log(of[own] / (shares @ of))

    variance = 0.0 if spread is None else spread.deviation**2 * (1 + float((shares**2).sum()))
    return Gain(1 - math.exp(log_ratio(edits.sum(axis=1))), interval(log_ratio, edits, variance, spread))
