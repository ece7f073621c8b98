"""The sparsity over the epochs, from the schedule alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.predict import magnitudes
from prune_rnn.predict.magnitudes import Magnitudes, Regressors
from prune_rnn.prune.q import CALIBRATED
from prune_rnn.source.load import start_of


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


def course(config: Config, q_source: str, steps: int) -> Course:
    """Returns the course of a resolved configuration. steps: an epoch."""
    method, epochs = config.prune, config.train.epochs
    phase = method.phase()
    if phase is None:
        return Course({}, {}, 0.0, True, 0.0)
    if method.starts_sparse:
        return _as_it_starts(config)
    weights = method.weights(meta_model(config.model))
    counts = {t: sum(p.numel() for p in group.values()) for t, group in weights.items()}
    goal: float | None = getattr(method, "prunable_sparsity", None)
    by_epoch: dict[str, list[float]] = {}
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
            by_epoch[layer_type], end[layer_type] = reached, reached[-1]
            variance += 0.0 if goal is not None else (_unsure(known, reached[-1]) * counts[layer_type]) ** 2
    whole = sum(counts.values())
    prunable = goal if goal is not None else sum(end[t] * count for t, count in counts.items()) / whole
    return Course(by_epoch, end, prunable, goal is not None, math.sqrt(variance) / whole / (1 - prunable))


def _as_it_starts(config: Config) -> Course:
    """Returns the course of a method that keeps the zeros of `init`: the same sparsity in every epoch.

    Raises ValueError where the network can't be read, or has another shape.
    """
    source = start_of(config)
    assert source is not None  # `Config.check` has seen to it
    weights = config.prune.weights(source.model)
    zeros = {t: sum(int((p == 0).sum()) for p in group.values()) for t, group in weights.items()}
    counts = {t: sum(p.numel() for p in group.values()) for t, group in weights.items()}
    end = {t: zeros[t] / count for t, count in counts.items()}
    by_epoch = {t: [sparsity] * config.train.epochs for t, sparsity in end.items()}
    return Course(by_epoch, end, sum(zeros.values()) / sum(counts.values()), True, 0.0)


def _unsure(known: Magnitudes, sparsity: float) -> float:
    """Returns the standard deviation of a sparsity that a threshold reaches."""
    left = max(1 - sparsity, 1e-6)
    return -left * math.log(left) * known.deviation
