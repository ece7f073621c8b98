"""Small random jobs, and their results in double precision."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from prune_rnn.bench.job import Job, Layer, Product
from prune_rnn.model.cell import Cell
from prune_rnn.model.recurrence import Activation


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def product() -> Callable[..., Product]:
    """Makes a product of 48 x 40; sparse: most of the matrix is zero, and one row is nothing else."""

    def make(streams: int, sparse: bool = False) -> Product:
        weight = random(48, 40)
        if sparse:
            weight[random(48, 40, seed=2) < 1] = 0
            weight[5] = 0
        return Product(weight=weight, x=random(streams, 40, seed=1), threads=2)

    return make


@pytest.fixture
def layer() -> Callable[..., Layer]:
    """Makes a layer of 32 units over 7 steps, which meets the clip."""

    def make(cell: Cell, activation: Activation, streams: int) -> Layer:
        weight, x = random(cell.gates * 32, 32) / 32**0.5, random(7, streams, cell.gates * 32, seed=1)
        if activation is Activation.clipped_relu:
            x[:3, :, -32:] *= 12
        return Layer(weight=weight, x=x, cell=cell, activation=activation, threads=2)

    return make


@pytest.fixture
def reference(reference: Callable[..., Tensor]) -> Callable[[Job], Tensor]:
    """Computes a job in double precision; a layer by its cell's reference step."""

    def compute(job: Job) -> Tensor:
        if isinstance(job, Product):
            return job.x.double() @ job.weight.double().t()
        return reference(job.cell, job.activation, job.weight, job.x)

    return compute
