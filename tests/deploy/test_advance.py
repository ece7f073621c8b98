"""Streams advance together: as each would alone, with one product a matrix and one a step of a recurrent one."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from prune_rnn.deploy.advance import Memory, Queue, advance, largest_array, log_probs
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.engine.torch import DenseMatrix

BINS = 161


class Counted(DenseMatrix):
    """Notes the shapes of what it is given, but for the last dimension."""

    seen: list[tuple[int, ...]] = []  # noqa: RUF012  (of all matrices)
    chosen: list[int] = []  # noqa: RUF012

    def __init__(self, weight: Weight, *, gates: int = 1, streams: int, **_: Any) -> None:
        super().__init__(weight, gates=gates)
        self.chosen.append(streams)

    def product(self, x: Tensor) -> Tensor:
        self.seen.append((len(x),))
        return super().product(x)

    def layer(self, cell: Any, activation: Any, x: Tensor, **how: Any) -> tuple[Tensor, Tensor]:
        self.seen.append((x.shape[0], x.shape[1]))
        return super().layer(cell, activation, x, **how)


@pytest.fixture
def counted(network: Callable) -> Network:
    model, kept = network("gru_sparse")
    packed = pack(model.state_dict(), kept, Dtype.float32, torch.zeros(BINS), torch.ones(BINS))
    Counted.chosen.clear()
    made = Network(packed, frames=1, streams=16, choose=Counted)
    Counted.seen.clear()
    return made


def noise(frames: int) -> Tensor:
    return torch.randn(BINS, frames, generator=torch.Generator().manual_seed(frames))


@pytest.mark.parametrize(
    ("frames", "steps"),
    [
        ([6, 6, 6], [(3, 3)]),
        ([10, 0, 4, 2], [(1, 3), (1, 2), (3, 1)]),  # of 5, none, 2 and 1 outputs
        ([2], [(1, 1)]),
    ],
)
def test_no_matrix_is_read_more_often_than_the_longest_needs(
    counted: Network, frames: list[int], steps: list[tuple[int, int]]
) -> None:
    """Two frames give one output."""
    memories = [Memory(counted) for _ in frames]
    found = advance(counted, memories, [noise(each) for each in frames], last=True)
    wanted = [call for each in steps for _ in counted.layers for call in ((math.prod(each),), each)]
    assert Counted.seen == wanted + 2 * [(sum(frames) // 2,)]
    for own, each in zip(found, frames, strict=True):
        assert own.shape == (each // 2, 29)
        if each:
            torch.testing.assert_close(own, log_probs(counted, noise(each)), atol=1e-5, rtol=0)


def test_nothing_is_multiplied_where_nothing_is_ready(counted: Network) -> None:
    found = advance(counted, [Memory(counted), Memory(counted)], [noise(1), noise(0)], last=False)
    assert Counted.seen == [] and [own.shape for own in found] == [(0, 29), (0, 29)]


def test_products_are_chosen_for_frames_of_streams_and_recurrent_ones_for_streams(network: Callable) -> None:
    """An input and a recurrent matrix a layer, then two products."""
    model, kept = network("gru_sparse")
    packed = pack(model.state_dict(), kept, Dtype.float32, torch.zeros(BINS), torch.ones(BINS))
    for frames, streams in ((1, 16), (64, 1), (2, 3)):
        Counted.chosen.clear()
        layers = len(Network(packed, frames, streams, choose=Counted).layers)
        assert Counted.chosen == layers * [frames * streams, streams] + 2 * [frames * streams]


@pytest.mark.parametrize(("frames", "streams"), [(1, 1), (2, 50), (40, 3), (400, 1)])
def test_no_array_is_larger_than_reckoned(network: Callable, largest: Callable, frames: int, streams: int) -> None:
    """Nor is it reckoned to be far larger: few streams would be taken together."""
    model, kept = network("gru_sparse")
    packed = pack(model.state_dict(), kept, Dtype.float32, torch.zeros(BINS), torch.ones(BINS))
    made = Network(packed, frames=1, streams=16)
    memories = [Memory(made) for _ in range(streams)]
    with torch.inference_mode(), largest() as seen:
        for last in (False, False, True):
            advance(made, memories, [noise(frames)] * streams, last)
    assert seen.bytes <= streams * largest_array(made, frames) <= 2 * seen.bytes or frames == 1


@pytest.mark.parametrize("sizes", [[1] * 40, [3, 0, 5, 1, 20, 2, 2], [7]])
@pytest.mark.parametrize("kept", [0, 1, 6])
def test_a_queue_is_what_was_added_less_what_was_dropped(sizes: list[int], kept: int) -> None:
    rows = torch.arange(2.0 * sum(sizes)).view(-1, 2)
    queue, begin, end = Queue(2), 0, 0
    for size in sizes:
        found = queue.add(rows[end : end + size])
        end += size
        assert torch.equal(found, rows[begin:end]) and found.is_contiguous()
        queue.drop(count := max(0, len(found) - kept))
        begin += count
        assert len(queue.room) <= min(2 * (kept + max(sizes)), 2 * (len(found) - count) + 32)
