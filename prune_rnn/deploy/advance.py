"""Networks that only run forward in time, fed piece by piece: what is remembered of each stream, and many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.deploy.network import Network
from prune_rnn.text import ALPHABET


class Memory:
    """What a network remembers of one stream.

    kept: (1, channel, bin, frame) that each convolution still needs; None at the beginning. states: (layers, units),
    the last of each recurrent layer. ahead: (frames, units), the last layer's that the row convolution still needs.
    None of them is a view of what other streams also hold. ValueError for a network that runs backward in time.
    """

    def __init__(self, network: Network) -> None:
        if network.cell.bidirectional:
            raise ValueError("this network also runs backward in time and needs whole files: leave out --stream")
        self.kept: list[Tensor | None] = [None] * len(network.convolutions)
        self.states = torch.zeros(len(network.layers), network.config.units)
        self.ahead = torch.zeros(0, network.config.units)


def alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """Returns the positions of each key.

    >>> alike("abca")
    [[0, 3], [1], [2]]
    """
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        found[key].append(position)
    return list(found.values())


def advance(network: Network, memories: Sequence[Memory], features: Sequence[Tensor], last: bool) -> list[Tensor]:
    """Returns the log-probabilities, (output frames, symbols), that each stream's next features complete; maybe none.

    features: (bins, frames) each, normalised. last: nothing comes after them, so what was held back comes out too.
    A matrix is multiplied once with what all streams have for it; a recurrent one once a step, for all that take it.
    """
    x = [each[None, None] for each in features]
    for index in range(len(network.convolutions)):
        x = _convolve(network, index, memories, x, last)
    rows = [each[0].flatten(0, 1).t() for each in x]
    if any(map(len, rows)):
        rows = _recur(network, memories, rows)
    beyond, ready, counts = network.frames_ahead, [], []
    for memory, own in zip(memories, rows, strict=True):
        heard = torch.cat([memory.ahead, own]) if len(own) else memory.ahead
        heard = F.pad(heard, (0, 0, 0, beyond)) if last else heard
        counts.append(max(0, len(heard) - beyond))
        memory.ahead = heard[counts[-1] :]
        ready += [heard] if counts[-1] else []
    if not ready:
        return [torch.zeros(0, len(ALPHABET)) for _ in memories]
    return list(network.classify(network.look_ahead(ready)).split(counts))


def _convolve(
    network: Network, index: int, memories: Sequence[Memory], x: Sequence[Tensor], last: bool
) -> list[Tensor]:
    """(1, channel, bin, frame) each -> the outputs that they complete; those of as many frames go together."""
    convolution, _ = network.convolutions[index]
    (bin_stride, stride), pad = convolution.stride, convolution.padding[1]
    whole = []
    for memory, own in zip(memories, x, strict=True):
        kept = memory.kept[index]
        seen = F.pad(own, (pad, 0)) if kept is None else torch.cat([kept, own], dim=3)
        seen = F.pad(seen, (0, pad)) if last else seen
        memory.kept[index] = seen[..., convolution.outputs(seen.shape[3]) * stride :]
        whole.append(seen)
    found = [each.new_zeros(1, convolution.channels, (each.shape[2] - 1) // bin_stride + 1, 0) for each in whole]
    for group in alike(each.shape[3] for each in whole):
        if convolution.outputs(whole[group[0]].shape[3]):
            made = network.convolve(index, torch.cat([whole[i] for i in group]))
            for i, own in zip(group, made.split(1), strict=True):
                found[i] = own
    return found


def _recur(network: Network, memories: Sequence[Memory], rows: Sequence[Tensor]) -> list[Tensor]:
    """(frames, inputs) of each stream -> (frames, units), all recurrent layers.

    Streams take their steps together, those with fewer frames stop earlier: nothing is computed for padding.
    """
    order = sorted((i for i in range(len(rows)) if len(rows[i])), key=lambda i: -len(rows[i]))
    ends = sorted({len(rows[i]) for i in order})
    spans = [(begin, end, sum(len(rows[i]) >= end for i in order)) for begin, end in pairwise([0, *ends])]
    together = [torch.stack([rows[i][begin:end] for i in order[:streams]], 1) for begin, end, streams in spans]
    x = torch.cat([span.flatten(0, 1) for span in together])  # step after step, in each the streams that take it
    states = torch.stack([memories[i].states for i in order], 1)  # (layers, streams, units)
    sizes = [(end - begin) * streams for begin, end, streams in spans]
    for index, state in enumerate(states):
        parts = []
        for inputs, (_, _, streams) in zip(network.inputs(index, x).split(sizes), spans, strict=True):
            part, state[:streams] = network.loop(index, inputs.unflatten(0, (-1, streams)), state[:streams])
            parts.append(part.flatten(0, 1))
        x = torch.cat(parts)
    found = [x[:0] for _ in rows]
    together = [part.unflatten(0, (-1, streams)) for part, (_, _, streams) in zip(x.split(sizes), spans, strict=True)]
    for place, i in enumerate(order):
        memories[i].states = states[:, place].clone()
        found[i] = torch.cat([part[:, place] for part in together if place < part.shape[1]])
    return found
