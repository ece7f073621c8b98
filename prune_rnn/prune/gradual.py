"""Gradual magnitude pruning: the paper's Algorithm 1, with its heuristics in epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from prune_rnn.prune.mask import keep_from, magnitude_quantile
from prune_rnn.prune.masker import Masker
from prune_rnn.prune.schedule import Threshold, start_slope

AUTO, BASELINE = "auto", "baseline"  # what q may be besides numbers


@dataclass(kw_only=True, slots=True)
class GradualConfig:
    """When and how far to prune. The defaults are the heuristics of the paper's Table 1; epochs count those completed.

    `q` is the magnitude that the threshold reaches at the end: one number, one per layer type; "auto", calibrated as
    the threshold rises so that the network ends at `sparsity`; or "baseline", the paper's heuristic: the 90th
    percentile of the dense baseline's magnitudes. `sparsity` is that of the network, zeros / all parameters: only
    "auto" uses it.
    """

    method: str = "gradual"
    q: Any = AUTO
    sparsity: float | None = None
    # What `sparsity` asks of the weights that are pruned, zeros / all of each layer type: `resolve` works it out.
    prunable_sparsity: float | None = None
    start_epoch: float
    ramp_epoch: float
    end_epoch: float
    ramp_factor: float = 1.5  # phi / theta
    updates_per_epoch: float = 27.0
    regrow: bool = False  # may a pruned weight whose update exceeds the threshold come back?
    layers: Any = None  # layer type -> list of patterns of parameter names; None: model.prunable

    def check(self) -> None:
        """Raises ValueError where a number is out of its range, naming the key and the way out."""
        for key in ("sparsity", "prunable_sparsity"):
            value = getattr(self, key)
            if value is not None and not 0 < value < 1:
                raise ValueError(f"prune.{key}={value}: must lie between 0 and 1, e.g. 0.9 for 90 %")
        if self.q != AUTO and self.prunable_sparsity is not None:
            raise ValueError(
                f"prune.prunable_sparsity={self.prunable_sparsity} and prune.q={self.q}: give one of the two"
            )
        if self.q == AUTO and self.sparsity is None and self.prunable_sparsity is None:
            raise ValueError("prune.sparsity has no value; give the network's sparsity, e.g. prune.sparsity=0.9")
        if not 0 <= self.start_epoch <= self.ramp_epoch <= self.end_epoch or self.start_epoch == self.end_epoch:
            raise ValueError(
                f"prune.start_epoch={self.start_epoch}, prune.ramp_epoch={self.ramp_epoch}, "
                f"prune.end_epoch={self.end_epoch}: must be 0 or more and in rising order"
            )
        if not 0 < self.ramp_factor < float("inf"):
            raise ValueError(f"prune.ramp_factor={self.ramp_factor}: must be above 0 (the paper: 1.5 to 2)")
        if not 0 < self.updates_per_epoch < float("inf"):
            raise ValueError(f"prune.updates_per_epoch={self.updates_per_epoch}: must be above 0 (the paper: 27)")
        patterns = self.layers.values() if isinstance(self.layers, dict) else [None]
        named = all(isinstance(p, list) and all(isinstance(pattern, str) for pattern in p) for p in patterns)
        if not (self.layers and named):
            raise ValueError(
                f"prune.layers={self.layers}: give patterns of parameter names for each layer type, such as "
                "{recurrent: [recurrent.*.recurrent.weight]}"
            )
        if isinstance(self.q, str):
            if self.q not in (AUTO, BASELINE):
                raise ValueError(f"prune.q={self.q}: give a number, one per layer type, {AUTO} or {BASELINE}")
        else:
            self.q_per_type()

    def q_per_type(self) -> dict[str, float]:
        """Returns q of each layer type; ValueError unless each is a number above 0 and no layer type is left out."""
        layer_types = list(self.layers)
        qs: dict[str, Any] = self.q if isinstance(self.q, dict) else dict.fromkeys(layer_types, self.q)
        if set(qs) != set(layer_types):
            raise ValueError(
                f"prune.q={self.q}: needs one number for each of the layer types {', '.join(layer_types)}, no other"
            )
        for layer_type, q in qs.items():
            if isinstance(q, bool) or not isinstance(q, int | float) or not 0 < q < float("inf"):
                raise ValueError(
                    f"prune.q={self.q}: q of {layer_type} must be a magnitude above 0, not a sparsity; "
                    "try prune.sparsity=0.9"
                )
        return {layer_type: float(q) for layer_type, q in qs.items()}

    def schedule(self, q: float, steps_per_epoch: int) -> Threshold:
        """Returns the threshold over the steps of a run with so many optimizer steps an epoch, reaching q."""
        start, ramp, end = (
            round(epoch * steps_per_epoch) for epoch in (self.start_epoch, self.ramp_epoch, self.end_epoch)
        )
        if start == end:
            raise ValueError(
                f"prune.start_epoch={self.start_epoch} and prune.end_epoch={self.end_epoch} fall on the same step, an "
                f"epoch having {steps_per_epoch}; train for more epochs or on more data"
            )
        freq = max(1, round(steps_per_epoch / self.updates_per_epoch))
        theta = start_slope(q, start, ramp, end, freq, self.ramp_factor)
        return Threshold(
            start_step=start, ramp_step=ramp, end_step=end, freq=freq, theta=theta, phi=self.ramp_factor * theta
        )


class GradualMasker(Masker):
    """Prunes what falls under a threshold that rises with the steps, one threshold per layer type.

    With a sparsity as the goal (q is "auto"), the schedule is calibrated as it runs: at each update q is the magnitude
    that the goal's fraction of the layer type's weights stays under now, the threshold is the schedule's share of it,
    and the last update takes q itself. So the sparsity never passes the goal and ends on it, to one weight.
    Close to the goal the threshold may fall: what is left to prune are weights that have shrunk since.
    """

    def __init__(
        self, weights: dict[str, dict[str, nn.Parameter]], config: GradualConfig, steps_per_epoch: int
    ) -> None:
        super().__init__(weights)
        self.goal = config.prunable_sparsity if config.q == AUTO else None
        self.regrow = config.regrow
        # towards a goal the schedule gives the share of q, from 0 to about 1
        qs = dict.fromkeys(weights, 1.0) if self.goal is not None else config.q_per_type()
        self.schedules = {layer_type: config.schedule(qs[layer_type], steps_per_epoch) for layer_type in weights}

    def done(self, step: int) -> bool:
        """True from the end of the schedule on."""
        return all(step >= schedule.end_step for schedule in self.schedules.values())

    def mask_gradients(self) -> None:
        """Leaves them where a pruned weight may come back."""
        if not self.regrow:
            super().mask_gradients()

    def _update(self, step: int) -> None:
        for layer_type, schedule in self.schedules.items():
            if not schedule.updates_at(step):
                continue
            group = self.weights[layer_type]
            if not self.regrow:
                # the printed algorithm: a pruned weight is zero again before it is compared, so it can't come back
                for name, parameter in group.items():
                    parameter.mul_(self.masks[name])
            threshold = schedule.at(step)
            if self.goal is not None:
                q = magnitude_quantile(list(group.values()), self.goal)
                # "keep" is >=: the next float32 makes q itself fall
                next_up = float(torch.nextafter(torch.tensor(q), torch.tensor(torch.inf)))
                threshold = next_up if step == schedule.last_update else min(threshold, 1.0) * q
            self.thresholds[layer_type] = threshold
            for name, parameter in group.items():
                self.masks[name] = keep_from(parameter, threshold)
