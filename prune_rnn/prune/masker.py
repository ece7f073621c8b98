"""The masks of one training run: holds them, applies them after each optimizer step, and survives a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from prune_rnn.prune.mask import keep_from, sparsity
from prune_rnn.prune.schedule import Schedule
from prune_rnn.prune.select import Weights
from prune_rnn.typed import Plain


class Rule(NamedTuple):
    """How the masks of one layer type change.

    when: the steps at which they do, and the amount then. which: (the layer type's weights, the amount, whether this is
    the last update) -> the magnitude from which on weights stay.
    """

    when: Schedule
    which: Callable[[Sequence[Tensor], float, bool], float]


class Masker:
    """Keeps masked weights at exactly zero. The loop calls `after_step` once after every optimizer step, from 1 on.

    weights: as `select` returns. rules: one for each layer type. regrow: a masked weight whose update exceeds the
    threshold comes back when the masks are recomputed; without it, it can't: it is zero again before it is compared.
    """

    def __init__(self, weights: Weights, rules: Mapping[str, Rule], *, regrow: bool = False) -> None:
        assert weights.keys() == rules.keys()
        self.weights, self.rules, self.regrow = weights, rules, regrow
        self.parameters = {name: p for group in weights.values() for name, p in group.items()}
        self.masks = {name: torch.ones_like(p, dtype=torch.bool) for name, p in self.parameters.items()}
        self.thresholds = dict.fromkeys(weights, 0.0)  # the last one of each layer type

    def done(self, step: int) -> bool:
        """Tells whether the masks can no longer change after this step."""
        return all(rule.when.done(step) for rule in self.rules.values())

    def mask_gradients(self) -> None:
        """Zeroes the gradients of masked weights, so that they don't count in the gradient's norm.

        The loop calls it before it clips. A masked weight's gradient moves nothing, but at 93 % sparsity it is most of
        the norm: clipped by it, the weights that are left take steps a third as long. With `regrow` they are left.
        """
        if self.regrow:
            return
        for name, parameter in self.parameters.items():
            if parameter.grad is not None:
                parameter.grad.mul_(self.masks[name])

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Updates the masks where it is time to, and zeroes the masked weights."""
        for layer_type, rule in self.rules.items():
            if rule.when.updates_at(step):
                group = self.weights[layer_type]
                if not self.regrow:
                    self._zero(group)
                last = step == rule.when.last_update
                threshold = rule.which(list(group.values()), rule.when.at(step), last)
                self.thresholds[layer_type] = threshold
                for name, parameter in group.items():
                    self.masks[name] = keep_from(parameter, threshold)
        self._zero(self.parameters)

    def _zero(self, parameters: Mapping[str, Tensor]) -> None:
        for name, parameter in parameters.items():
            parameter.mul_(self.masks[name])

    def check(self) -> None:
        """Raises AssertionError where a masked weight is not exactly zero: a defect of this program."""
        for name, parameter in self.parameters.items():
            wrong = int((parameter.detach() != 0).logical_and_(~self.masks[name]).count_nonzero())
            assert wrong == 0, f"{wrong} masked weights of {name} are not zero"

    def sparsity(self) -> dict[str, float]:
        """Returns pruned / all for each layer type, in [0, 1]."""
        return {t: sparsity([self.masks[name] for name in group]) for t, group in self.weights.items()}

    def state_dict(self) -> Plain:
        """Returns the masks and thresholds, for a checkpoint."""
        return {"masks": self.masks, "thresholds": self.thresholds}

    def load_state_dict(self, state: Plain) -> None:
        """Takes over what `state_dict` returned."""
        masks: dict[str, Tensor] = state["masks"]
        for name, mask in self.masks.items():
            if masks[name].shape != mask.shape:
                raise ValueError(f"the mask of {name} is of another shape")
            mask.copy_(masks[name])
        self.thresholds = dict(state["thresholds"])
