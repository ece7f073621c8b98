"""Weights rounded to bfloat16 or int8, and the vectors that meet them rounded alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Dtype(Enum):
    """The type of the sparse weights, in the packed file and in the product."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    int8 = "int8"

    @property
    def kind(self) -> int:
        """Its number in the engine."""
        return list(Dtype).index(self)

    @property
    def torch(self) -> torch.dtype:
        """Its name in torch."""
        found: torch.dtype = getattr(torch, self.value)
        return found


@dataclass(frozen=True, slots=True)
class Weight:
    """A matrix: values (rows, columns) of the type; for int8, scale (rows,) float32 that they are times of."""

    values: Tensor
    scale: Tensor | None = None

    @property
    def dtype(self) -> Dtype:
        """The type of its values."""
        return Dtype(str(self.values.dtype).removeprefix("torch."))

    def float(self) -> Tensor:
        """Returns the weights, (rows, columns) float32."""
        values = self.values.float()
        return values if self.scale is None else values * self.scale[:, None]


def quantise(weight: Tensor, dtype: Dtype) -> Weight:
    """Rounds (rows, columns) float32 to the type. int8: each row symmetrically, its largest magnitude becoming 127.

    A weight that is not zero stays so but for those under 1/254 of their row's largest (int8).
    """
    if dtype is not Dtype.int8:
        return Weight(weight.to(dtype.torch))
    scale = weight.abs().amax(dim=1) / 127
    scale = torch.where(scale > 1e-30, scale, 1.0)
    return Weight((weight / scale[:, None]).round().to(torch.int8), scale)


def quantised_vectors(x: Tensor, dtype: Dtype) -> Tensor:
    """Returns (streams, columns) float32, rounded as the engine rounds vectors for a matrix of this type.

    int8: to 255 steps of its largest value where none is negative, else to 127 of its largest magnitude either way.
    """
    if dtype is Dtype.float32:
        return x
    if dtype is Dtype.bfloat16:
        return x.bfloat16().float()
    high = x.amax(dim=1, keepdim=True).clamp_min(0)
    low = x.amin(dim=1, keepdim=True).clamp_max(0)
    scale = torch.where(low < 0, torch.maximum(-low, high) / 127, high / 255)
    scale = torch.where(scale > 1e-30, scale, 1.0)
    return (x * (1 / scale)).round() * scale
