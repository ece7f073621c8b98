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
class Comparison:
    """A network against others; None where there is nothing to compare with.

    baseline: against the baseline's CER. at_size: against the dense networks' CER at its size, linear in the logarithm
    of the parameters. larger: how many times as large a dense network of its CER is.
    """

    baseline: Gain | None = None
    at_size: Gain | None = None
    larger: float | None = None


def comparisons(networks: Sequence[Network], baseline: int | None, spread: Spread | None) -> list[Comparison]:
    """Returns the comparison of each network.

    Args:
        networks: one run each.
        baseline: the index of the network that all are compared with.
        spread: of the seeds of networks that were trained like these.

    Raises:
        ValueError: they were not tested on the same utterances, or there are not two speakers.
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
            weights = np.eye(len(dense))
            shares = {i: float(np.interp(size, sizes, row)) for i, row in zip(dense, weights, strict=True)}
            at_size = _gain(edits, number, shares, spread)
        curve = every[dense][::-1]  # falling with size: rising in this order
        if not each.dense and dense and curve[0] <= every[number] <= curve[-1]:
            larger = float(np.exp(np.interp(every[number], curve, sizes[::-1])) / each.nonzero)
        found.append(Comparison(against, at_size, larger))
    return found


def _gain(edits: NDArray[np.float64], own: int, theirs: Mapping[int, float], spread: Spread | None) -> Gain:
    """Returns the gain over a weighted mean of networks. theirs: their weights by index, which add up to 1."""
    shares = np.array([theirs.get(number, 0.0) for number in range(len(edits))])

    def log_ratio(of: NDArray[np.float64]) -> float:
        return math.log(of[own] / (shares @ of))

    variance = 0.0 if spread is None else spread.deviation**2 * (1 + float((shares**2).sum()))
    return Gain(1 - math.exp(log_ratio(edits.sum(axis=1))), interval(log_ratio, edits, variance, spread))
