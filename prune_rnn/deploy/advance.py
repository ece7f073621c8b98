"""A packed network computes its input piece by piece, for one stream or for several together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.deploy.convolution import joined
from prune_rnn.deploy.network import Network
from prune_rnn.speech.features import LONG

_SPARE = 32  # rows of memory that a queue need not free
NEEDS_WHOLE = "this network also runs backward in time and needs whole files"


class Queue:
    """Rows that `add` appends and `drop` removes from the beginning; they are contiguous in memory.

    room: (rows, units), the memory. A new one is twice as large as its content, so that rows are seldom moved. After
    `drop` the memory is at most twice as large as its content, plus _SPARE rows.
    """

    def __init__(self, units: int) -> None:
        self.room = torch.zeros(0, units)
        self._begin = self._end = 0

    def add(self, rows: Tensor) -> Tensor:
        """(n, units) -> a view of all rows."""
        end = self._end + rows.shape[0]
        if end > self.room.shape[0]:
            present = self.room[self._begin : self._end]
            self.room = torch.cat([present, rows, torch.empty(end - self._begin, rows.shape[1])])
            self._begin, end = 0, end - self._begin
        else:
            self.room[self._end : end] = rows
        self._end = end
        return self.room[self._begin : end]

    def drop(self, count: int) -> None:
        """Drops the first rows; the view that `add` returned stays valid."""
        self._begin += count
        left = self._end - self._begin
        if self.room.shape[0] > 2 * left + _SPARE:
            self.room, self._begin, self._end = self.room[self._begin : self._end].clone(), 0, left


class Memory:
    """The state of a network between the pieces of one stream.

    tails: (1, frame, channel, bin), the input that each convolution still needs; None at the beginning.
    states: (1, vectors * units), the last state of each recurrent layer.
    ahead: (frames, units), the last layer's outputs that the row convolution still needs.
    No tensor is a view of a larger one. ValueError for a network that runs backward in time.
    """

    def __init__(self, network: Network) -> None:
        if network.config.both_ways:
            raise ValueError(f"{NEEDS_WHOLE}, as `prune-rnn transcribe` takes them: it can't be streamed")
        self.tails: list[Tensor | None] = [None] * len(network.convolutions)
        self.states = [torch.zeros(1, network.cell.vectors * network.config.units) for _ in network.layers]
        self.ahead = Queue(network.config.units)


def alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """Returns the positions of each key.

    >>> alike("abca")
    [[0, 3], [1], [2]]
    """
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        found[key].append(position)
    return list(found.values())


def largest_array(network: Network, frames: int) -> int:
    """Returns an upper bound, in bytes, of the largest array that `advance` makes for one stream's frames.

    The bound for several streams is the sum of theirs. A stream's memory does not count.
    """
    rows, width, most = frames, len(network.mean), 0  # width: numbers a row
    for convolution in network.convolutions:
        seen = rows + convolution.frames - 1 + convolution.padding[1]
        most = max(most, seen * width)
        rows, width = convolution.outputs(seen), convolution.channels * convolution.bins_out
    widest = max(width, *(layer.input.rows for layer in network.layers), network.linear.rows)
    return 4 * max(most, rows * widest)


def advance(network: Network, memories: Sequence[Memory], features: Sequence[Tensor], last: bool) -> list[Tensor]:
    """Returns the log-probabilities, (output frames, symbols), that each stream's next features complete; maybe none.

    features: (bins, frames) each, normalised. last: the streams end here, so all outputs are completed.
    Streams with equal numbers of frames share one product per matrix (a recurrent matrix: one per step). With
    different numbers they share the steps that all have, then those that all but the shortest have, and so on.
    """
    outputs = _recur(network, memories, _convolved(network, [memory.tails for memory in memories], features, last))
    beyond, ready, counts = network.frames_ahead, [], []
    for memory, own in zip(memories, outputs, strict=True):
        seen = memory.ahead.add(own)
        seen = F.pad(seen, (0, 0, 0, beyond)) if last else seen
        counts.append(max(0, seen.shape[0] - beyond))
        memory.ahead.drop(counts[-1])
        ready += [seen] if counts[-1] else []
    if not ready:
        return [torch.zeros(0, network.config.symbols) for _ in memories]
    found = network.classify(network.look_ahead(ready))
    return [found] if len(memories) == 1 else list(found.split(counts))


def log_probs(network: Network, features: Tensor) -> Tensor:
    """(bins, frames) of a whole recording, normalised -> log-probabilities (output frames, symbols).

    At most LONG frames are computed at a time, which bounds the memory; a network that also runs backward in time
    computes only its convolutions so.
    """
    pieces = features.split(LONG, dim=1)
    if not network.config.both_ways:
        memories = [Memory(network)]
        return joined([advance(network, memories, [piece], last=piece is pieces[-1])[0] for piece in pieces])
    tails: list[list[Tensor | None]] = [[None] * len(network.convolutions)]
    x = joined([_convolved(network, tails, [piece], last=piece is pieces[-1])[0] for piece in pieces])[:, None]
    for index in range(len(network.layers)):
        x = network.recurrent(index, x, None)[0]
    return network.classify(x[:, 0])


def _convolved(
    network: Network, tails: Sequence[list[Tensor | None]], features: Sequence[Tensor], last: bool
) -> list[Tensor]:
    """(bins, frames) each -> (output frames, channels * bins) that they complete. tails: of each, as in Memory."""
    x = [each.t()[None, :, None] for each in features]
    for index in range(len(network.convolutions)):
        x = _convolve(network, index, tails, x, last)
    return [each[0].flatten(1) for each in x]


def _convolve(
    network: Network, index: int, tails: Sequence[list[Tensor | None]], x: Sequence[Tensor], last: bool
) -> list[Tensor]:
    """(1, frame, channel, bin) each -> the outputs that they complete; equal lengths are computed together."""
    convolution = network.convolutions[index]
    stride, pad = convolution.stride[1], convolution.padding[1]
    whole = []
    for its, own in zip(tails, x, strict=True):
        before = its[index]
        seen = F.pad(own, (0, 0, 0, 0, pad, 0)) if before is None else torch.cat([before, own], 1)
        seen = F.pad(seen, (0, 0, 0, 0, 0, pad)) if last else seen
        its[index] = seen[:, convolution.outputs(seen.shape[1]) * stride :].clone()
        whole.append(seen)
    found = list(x)
    for group in alike(seen.shape[1] for seen in whole):
        if convolution.outputs(whole[group[0]].shape[1]):
            made = network.convolve(index, joined([whole[i] for i in group]))
        else:
            made = torch.zeros(len(group), 0, convolution.channels, convolution.bins_out)
        for i, own in zip(group, made.split(1) if len(group) > 1 else [made], strict=True):
            found[i] = own
    return found


def _recur(network: Network, memories: Sequence[Memory], rows: Sequence[Tensor]) -> list[Tensor]:
    """(frames, inputs) of each stream -> (frames, units), through all recurrent layers, without padding."""
    counts = [each.shape[0] for each in rows]
    found: list[list[Tensor]] = [[] for _ in rows]
    for begin, end in pairwise(sorted({0, *counts})):
        group = [i for i, count in enumerate(counts) if count >= end]
        x = torch.stack([rows[i][begin:end] for i in group], 1)
        for index in range(len(network.layers)):
            x, last = network.recurrent(index, x, joined([memories[i].states[index] for i in group]))
            for i, own in zip(group, _each(last), strict=True):
                memories[i].states[index] = own
        for column, i in enumerate(group):
            found[i].append(x[:, column])
    return [joined(parts) if parts else torch.zeros(0, network.config.units) for parts in found]


def _each(x: Tensor) -> Sequence[Tensor]:
    """(streams, ...) -> (1, ...) of each stream, no views of a common tensor."""
    return [own.clone() for own in x.split(1)] if x.shape[0] > 1 else [x]
