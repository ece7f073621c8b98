"""The sparsity over the epochs, from the schedule alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.predict import magnitudes
from prune_rnn.predict.magnitudes import Magnitudes, Regressors
from prune_rnn.prune.q import CALIBRATED
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
            known = magnitudes.shipped(config.model.cell.name, layer_type)
            reached: list[float] = []
            for epoch in range(1, epochs + 1):
                step = rule.when.last_update_within((epoch - 1) * steps + 1, epoch * steps)
                now = 0.0
                if step is not None:
                    amount = rule.when.at(step)
                    if goal is None:
                        begin = phase[0] / epochs
                        time = step / steps / epochs - begin
                        now = known.sparsity(Regressors(amount, config.model.units, steps, time, begin))
                    else:
                        now = known.on_the_way(goal, amount) if q_source == CALIBRATED else amount
                reached.append(max(now, reached[-1] if reached else 0.0))
            if goal is not None and reached[-1] > 0:
                reached = [goal if rule.when.done(epoch * steps) else now for epoch, now in enumerate(reached, 1)]
            reached = [max(each, lasting.get(layer_type, 0.0)) for each in reached]
            by_epoch[layer_type], end[layer_type] = reached, reached[-1]
            variance += 0.0 if goal is not None else (_unsure(known, reached[-1]) * counts[layer_type]) ** 2
    prunable = goal if goal is not None and not any(lasting.values()) else _mean(end, counts)
    deviation = math.sqrt(variance) / sum(counts.values())
    return Course(by_epoch, end, prunable, goal is not None, deviation / max(1 - prunable, 1e-9))


def _mean(sparsity: dict[str, float], counts: dict[str, int]) -> float:
    """Returns the sparsity of all layer types together. counts: weights of each."""
    return sum(sparsity[t] * count for t, count in counts.items()) / sum(counts.values())


def _unsure(known: Magnitudes, sparsity: float) -> float:
    """Returns the standard deviation of a sparsity that a threshold reaches."""
    left = max(1 - sparsity, 1e-6)
    return -left * math.log(left) * known.deviation
