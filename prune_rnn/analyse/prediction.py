"""What a network will be, before it is trained: its size by counting, its error by those that were trained alike."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, prod
from pathlib import Path

import numpy as np

from prune_rnn.analyse.finished import Finished, read
from prune_rnn.config import Config
from prune_rnn.deploy import layout
from prune_rnn.deploy.file import WIDEST_GAP
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.deepspeech2 import ModelConfig, meta_model
from prune_rnn.prune.select import select
from prune_rnn.run.identity import identity, recipe
from prune_rnn.run.store import all_runs
from prune_rnn.typed import Plain

FEWEST = 6  # networks that a law is drawn from
_CONFIGURATION, _ENTRY = 1_900, 88  # bytes of a packed file's header, about: at all, and for each tensor
_FLOORS = 20  # that are tried, from 0 up to the least error
_GOALS = {"sparsity", "prunable_sparsity", "parameters", "q"}  # of pruning: how far, not when or how


def packed_bytes(config: ModelConfig, prunable_sparsity: float, dtype: Dtype) -> int:
    """Returns the size of the packed file to within a few per cent.

    prunable_sparsity: of all weights that are pruned alike; 0 for a dense network.
    """
    matrices, tensors = layout.shapes(config)
    pruned = {name for group in select(meta_model(config), config.prunable).values() for name in group}
    element = dtype.torch.itemsize
    total, entries = 4.0 * sum(map(prod, tensors.values())), len(tensors)
    for name, shape in matrices.items():
        kept = 1 - prunable_sparsity if f"{name}.weight" in pruned else 1.0
        further = (1 - kept) ** (WIDEST_GAP + 1)  # how often a gap is too long for its byte, and how often again
        stored = prod(shape) * kept / (1 - further)
        sparse, dense, quantised = stored * (element + 1) + 8, prod(shape) * element, dtype is Dtype.int8
        total += min(sparse, dense) + 4 * shape[0] * quantised
        entries += (3 if sparse < dense else 1) + quantised
    return round(total + _CONFIGURATION + _ENTRY * entries)


@dataclass(frozen=True, slots=True)
class Point:
    """A network that was trained: its weights that can be pruned, the share of them that stayed, its mean CER."""

    prunable: float
    density: float
    cer: float


@dataclass(frozen=True, slots=True)
class Law:
    """CER = floor + exp(level) * prunable^-size * density^-share, a scaling law of the kind of Frantar et al. 2023
    (arXiv:2309.08520), whose exponents are found by least squares in the logarithm of what lies above the floor."""

    floor: float
    level: float
    size: float
    share: float

    def cer(self, prunable: float, density: float) -> float:
        """A fraction."""
        return self.floor + exp(self.level - self.size * log(prunable) - self.share * log(density))


def law(points: Sequence[Point]) -> Law | None:
    """Returns the law whose floor predicts each point best from all others.

    None where size and share can't be separated.
    """
    if len(points) < FEWEST - 1:
        return None
    x = np.array([[1.0, -log(point.prunable), -log(point.density)] for point in points])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return None
    cer = np.array([point.cer for point in points])
    hat = np.diag(x @ np.linalg.pinv(x))
    if hat.max() > 1 - 1e-9:  # without one of them, the others can't
        return None
    best: tuple[float, Law] | None = None
    for floor in np.linspace(0, cer.min(), _FLOORS, endpoint=False):
        y = np.log(cer - floor)
        found = np.linalg.lstsq(x, y, rcond=None)[0]
        left_out = y - (y - x @ found) / (1 - hat)  # of each, by the law of all others
        error = float(np.abs(floor + np.exp(left_out) - cer).mean())
        if best is None or error < best[0]:
            best = error, Law(float(floor), *map(float, found))
    return None if best is None else best[1]


def errors(points: Sequence[Point]) -> list[float]:
    """Returns how far each point lies from the prediction of all others' law, where there is one."""
    found = []
    for place, point in enumerate(points):
        others = law([*points[:place], *points[place + 1 :]])
        if others is not None:
            found.append(abs(others.cer(point.prunable, point.density) - point.cer))
    return found


def alike(config: Config, prunable_sparsity: float) -> list[Point]:
    """Returns the networks among the finished runs that differ in units, sparsity and seed only, dense ones included.

    A dense network's are pruned as most are. The network itself is none of them.
    """
    own = identity(config)
    runs = [read(run) for run in all_runs(Path(config.results)) if run.finished]
    runs = [run for run in runs if recipe(run.config.identity) == recipe(own)]
    ways = [_way(run.config.identity) for run in runs if run.config.prune.prunes]
    way = _way(own) if config.prune.prunes else max(sorted(set(ways)), key=ways.count, default="")
    named: dict[tuple[int, float], list[Finished]] = {}
    for run in runs:
        if not run.config.prune.prunes or _way(run.config.identity) == way:
            named.setdefault((run.config.model.units, round(_density(run), 4)), []).append(run)
    itself = config.model.units, round(1 - prunable_sparsity, 4)
    return [
        Point(group[0].result.prunable, _density(group[0]), statistics.mean(run.cer for run in group))
        for setting, group in named.items()
        if setting != itself
    ]


def expected_cer(config: Config, prunable_sparsity: float) -> str:
    """Returns the test CER to expect, in words, and the errors of such predictions."""
    points = alike(config, prunable_sparsity)
    found, off = law(points), errors(points)
    trained = f"{len(points)} other network{'s' * (len(points) != 1)} in {config.results} trained alike"
    if found is None or not off or len(points) < FEWEST:
        return f"unknown: it takes {FEWEST} of several sizes and sparsities, and there are {trained}"
    model = meta_model(config.model)
    prunable = sum(p.numel() for group in select(model, config.model.prunable).values() for p in group.values())
    density = 1 - prunable_sparsity
    sizes, shares = [point.prunable for point in points], [point.density for point in points]
    inside = min(sizes) <= prunable <= max(sizes) and min(shares) <= density <= max(shares)
    return (
        f"about {100 * found.cer(prunable, density):.1f} %, by {trained}\n"
        f"  (left out in turn, the predictions were off by {100 * statistics.median(off):.1f} points in the median, by "
        f"{100 * max(off):.1f} at worst{'' if inside else '; this one lies outside of their sizes or sparsities'})"
    )


def _density(run: Finished) -> float:
    """Of the weights that can be pruned."""
    result = run.result
    return (result.nonzero - (result.parameters - result.prunable)) / result.prunable


def _way(own: Plain) -> str:
    """Returns when and how it is pruned, however far."""
    return json.dumps({key: value for key, value in own["prune"].items() if key not in _GOALS}, sort_keys=True)
