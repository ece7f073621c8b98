"""The masks of one training run: holds them, applies them after each optimizer step, and survives a checkpoint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from prune_rnn.prune.mask import sparsity


def select(model: nn.Module, patterns: dict[str, list[str]]) -> dict[str, dict[str, nn.Parameter]]:
    """Returns the parameters to prune: layer type -> parameter name -> parameter.

    patterns: layer type -> shell-style patterns of parameter names (`recurrent.*.input.weight`); biases and batch norm
    are never matched. ValueError where a pattern matches nothing, a layer type has no pattern, or two of them claim the
    same parameter.
    """
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.dim() > 1}
    chosen: dict[str, dict[str, nn.Parameter]] = {}
    owner: dict[str, str] = {}
    for layer_type, type_patterns in patterns.items():
        chosen[layer_type] = {}
        for pattern in type_patterns:
            matches = [name for name in named if fnmatchcase(name, pattern)]
            if not matches:
                raise ValueError(
                    f"prune.layers.{layer_type}: the pattern {pattern!r} matches no parameter; there are: "
                    + ", ".join(named)
                )
            for name in matches:
                if owner.setdefault(name, layer_type) != layer_type:
                    raise ValueError(f"prune.layers: {name} is claimed by both {owner[name]!r} and {layer_type!r}")
                chosen[layer_type][name] = named[name]
        if not chosen[layer_type]:
            raise ValueError(f"prune.layers.{layer_type}: names no pattern; give one or leave the layer type out")
    return chosen


class Masker(ABC):
    """Keeps masked weights at exactly zero; a method decides by `_update` when and how the masks change.

    weights: layer type -> parameter name -> parameter, as `select` returns. The loop calls `after_step` once after
    every optimizer step, the first with step=1.
    """

    def __init__(self, weights: dict[str, dict[str, nn.Parameter]]) -> None:
        self.weights = weights
        self.parameters = {name: p for group in weights.values() for name, p in group.items()}
        self.masks = {name: torch.ones_like(p, dtype=torch.bool) for name, p in self.parameters.items()}
        self.thresholds = dict.fromkeys(weights, 0.0)  # the last one of each layer type

    @abstractmethod
    def done(self, step: int) -> bool:
        """Tells whether the masks can no longer change after this step."""

    @abstractmethod
    def _update(self, step: int) -> None:
        """Recomputes the masks where this step is one to do so."""

    def mask_gradients(self) -> None:
        """Zeroes the gradients of masked weights, so that they don't count in the gradient's norm.

        The loop calls it before it clips. A masked weight's gradient moves nothing, but at 93 % sparsity it is most of
        the norm: clipped by it, the weights that are left take steps a third as long. A method whose masked weights can
        come back leaves their gradients.
        """
        for name, parameter in self.parameters.items():
            if parameter.grad is not None:
                parameter.grad.mul_(self.masks[name])

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Updates the masks if it is time to, and zeroes the masked weights."""
        self._update(step)
        self._apply()

    def _apply(self) -> None:
        for name, parameter in self.parameters.items():
            parameter.mul_(self.masks[name])

    def check(self) -> None:
        """Raises AssertionError where a masked weight is not exactly zero: a defect of this program."""
        for name, parameter in self.parameters.items():
            wrong = int((parameter.detach() != 0).logical_and_(~self.masks[name]).count_nonzero())
            assert wrong == 0, f"{wrong} masked weights of {name} are not zero"

    def sparsity(self) -> dict[str, float]:
        """Returns pruned / all for each layer type, in [0, 1]."""
        return {t: sparsity([self.masks[name] for name in group]) for t, group in self.weights.items()}

    def state_dict(self) -> dict[str, Any]:
        """Returns the masks and thresholds, for a checkpoint."""
        return {"masks": self.masks, "thresholds": self.thresholds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        masks: dict[str, Tensor] = state["masks"]
        for name, mask in self.masks.items():
            mask.copy_(masks[name])
        self.thresholds = dict(state["thresholds"])
