"""The sparsity over the epochs, from the schedule alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.predict import magnitudes
from prune_rnn.predict.magnitudes import COURSE, END, Magnitudes, Regressors
from prune_rnn.prune.q import CALIBRATED
from prune_rnn.prune.schedule import Schedule
from prune_rnn.source.load import Source, lasting_zeros


@dataclass(frozen=True, slots=True)
class Course:
    """How sparse each layer type is after each epoch, and in the end.

    by_epoch: layer type -> sparsity of its weights after each epoch. prunable: sparsity of all prunable weights in the
    end. exact: whether the goal is a sparsity, which is met to one weight. log_density: standard deviation of the
    logarithm of the density.
    """

    by_epoch: dict[str, list[float]]
    end: dict[str, float]
    prunable: float
    exact: bool
    log_density: float


def course(config: Config, q_source: str, steps: int, start: Source | None) -> Course:
    """Returns the course of a resolved configuration. steps: an epoch. start: the network of its `init`."""
    method, epochs = config.prune, config.train.epochs
    phase = method.phase()
    if phase is None:
        return Course({}, {}, 0.0, True, 0.0)
    weights = method.weights(meta_model(config.model))
    counts = {t: sum(p.numel() for p in group.values()) for t, group in weights.items()}
    lasting = lasting_zeros(config, start)
    if method.starts_sparse:
        by_epoch = {t: [sparsity] * epochs for t, sparsity in lasting.items()}
        return Course(by_epoch, lasting, _mean(lasting, counts), True, 0.0)
    goal: float | None = getattr(method, "prunable_sparsity", None)
    by_epoch = {}
    end: dict[str, float] = {}
    variance = 0.0
    for rule in method.rules(weights, steps):
        for layer_type in rule.layer_types:
            if goal is None:
                last = magnitudes.shipped(END, config.model.cell.name, layer_type)
                reached = _by_threshold(config, layer_type, rule.when, steps, phase[0], last)
                if reached[-1] > lasting.get(layer_type, 0.0):
                    variance += (_unsure(last, reached[-1], steps) * counts[layer_type]) ** 2
            else:
                reached = _to_goal(config, layer_type, rule.when, steps, goal, q_source == CALIBRATED)
            by_epoch[layer_type] = [max(each, lasting.get(layer_type, 0.0)) for each in reached]
            end[layer_type] = by_epoch[layer_type][-1]
    prunable = goal if goal is not None and not any(lasting.values()) else _mean(end, counts)
    deviation = math.sqrt(variance) / sum(counts.values())
    return Course(by_epoch, end, prunable, goal is not None, deviation / max(1 - prunable, 1e-9))


def _by_threshold(
    config: Config, layer_type: str, when: Schedule, steps: int, first: float, last: Magnitudes
) -> list[float]:
    """Returns the sparsity after each epoch under a stated threshold.

    first: epoch in which pruning begins. last: the distribution for the end; the course is scaled to meet it.
    """
    known = magnitudes.shipped(COURSE, config.model.cell.name, layer_type)
    epochs, begin = config.train.epochs, first / config.train.epochs
    reached, end = [0.0] * epochs, 0.0
    for epoch, step in _updates(when, steps, epochs):
        given = Regressors(when.at(step), config.model.units, steps, step / steps / epochs - begin, begin)
        reached[epoch:] = [max(reached[epoch - 1], known.sparsity(given))] * (epochs - epoch)
        end = last.sparsity(given)
    return [end * after / reached[-1] for after in reached] if reached[-1] > 0 else reached


def _to_goal(config: Config, layer_type: str, when: Schedule, steps: int, goal: float, calibrated: bool) -> list[float]:
    """Returns the sparsity after each epoch on the way to a goal. calibrated: by a threshold."""
    known = magnitudes.shipped(COURSE, config.model.cell.name, layer_type)
    reached = [0.0] * config.train.epochs
    for epoch, step in _updates(when, steps, config.train.epochs):
        now = known.on_the_way(goal, when.at(step)) if calibrated else when.at(step)
        reached[epoch:] = [max(reached[epoch - 1], now)] * (len(reached) - epoch)
    if reached[-1] == 0:
        return reached
    return [goal if when.done(epoch * steps) else now for epoch, now in enumerate(reached, 1)]


def _updates(when: Schedule, steps: int, epochs: int) -> Iterator[tuple[int, int]]:
    """Yields the epochs, from 0, in which masks are updated, and the last step of each at which they are."""
    for epoch in range(epochs):
        if (step := when.last_update_within(epoch * steps + 1, (epoch + 1) * steps)) is not None:
            yield epoch, step


def _mean(sparsity: dict[str, float], counts: dict[str, int]) -> float:
    """Returns the sparsity of all layer types together. counts: weights of each."""
    return sum(sparsity[t] * count for t, count in counts.items()) / sum(counts.values())


def _unsure(known: Magnitudes, sparsity: float, steps: int) -> float:
    """Returns the standard deviation of a sparsity that a threshold reaches. steps: an epoch."""
    left = max(1 - sparsity, 1e-6)
    return -left * math.log(left) * math.hypot(known.deviation, magnitudes.beyond(steps))
