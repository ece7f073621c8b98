"""Scores of weights: low ones are pruned before high ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A parameter that may be pruned at this step.

    name: of the parameter. value: its weights, (rows, ...). mask: True where a weight is kept, same shape. gates: the
    gates whose rows lie one after another in `value`. seed: of the run. gradient: of the loss by the weights, before
    clipping and masking; None where the rule does not ask for it.
    """

    name: str
    value: Tensor
    mask: Tensor
    gates: int = 1
    seed: int = 0
    gradient: Tensor | None = None

    def generator(self) -> torch.Generator:
        """Returns a generator on the CPU, seeded by the run's seed and the parameter's name; the same at each call."""
        seed = hashlib.sha256(f"{self.seed} {self.name}".encode()).digest()[:8]
        return torch.Generator().manual_seed(int.from_bytes(seed, "little", signed=True))


def magnitude(of: Candidate) -> Tensor:
    """Returns |w|, same shape and type."""
    return of.value.abs()


def uniform(of: Candidate) -> Tensor:
    """Returns random numbers in [0, 1), same shape, float64, the same at each step of a run.

    In float64 two weights hardly ever have the same score.
    """
    scores = torch.rand(of.value.shape, generator=of.generator(), dtype=torch.float64)
    return scores.to(of.value.device)


def saliency(of: Candidate) -> Tensor:
    """Returns |w dL/dw|, how much the loss changes without the weight, to first order; same shape and type.

    Of the last batch alone. Source: Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning".
    """
    assert of.gradient is not None  # the rule asks for it
    return (of.value * of.gradient).abs()
