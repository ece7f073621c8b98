"""Streaming for many callers of one network at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from numbers import Integral

from numpy.typing import ArrayLike
from torch import Tensor

from prune_rnn.deploy.advance import advance, largest_array
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.stream import Stream, checked

AT_ONCE = 32 << 20  # bytes of the largest array of a call; callers beyond it form further groups


class Streams:
    """Callers join and leave at any time; each gets the text that `Stream` gives it alone.

    A call reads each matrix once for all its callers, so feed callers together: for example, all whose samples arrived
    in the last 20 ms. Load the network for about that many callers: `load(path, frames=1, streams=16)`.

        streams = Streams(network)
        key = streams.open()
        texts = streams.feed({key: samples, other: its_samples})
        texts = streams.finish([key])

    Memory: between calls, a caller of GRU Sparse (128 units) takes at most 70 KB, and in its first second 130 KB more;
    of the paper's GRU (2560 units), 1.1 MB. No array of a call is larger than AT_ONCE bytes, unless a single caller's
    samples need it: feed long recordings a second at a time.

    ValueError for a network that runs backward in time.
    """

    def __init__(self, network: Network) -> None:
        Stream(network)  # refuses a network that can't stream
        self.network = network
        self._keys = count()
        self._streams: dict[int, Stream] = {}

    def __len__(self) -> int:
        """Callers that joined and have not left."""
        return len(self._streams)

    def open(self) -> int:
        """Returns the key of a new caller; no other ever has the same."""
        key = next(self._keys)
        self._streams[key] = Stream(self.network)
        return key

    def feed(self, samples: Mapping[int, ArrayLike | Tensor]) -> dict[int, str]:
        """Returns the characters that the samples add, by caller. samples: of each caller, as for `Stream.feed`.

        ValueError for an unknown caller, one that left, or samples that `Stream.feed` refuses; then no caller was fed.
        """
        self._known(samples)
        return self.feed_checked({key: checked(own, f" for caller {key}") for key, own in samples.items()})

    def feed_checked(self, samples: Mapping[int, Tensor]) -> dict[int, str]:
        """The same for samples from `checked` or `read_audio`."""
        streams = dict(zip(samples, self._known(samples), strict=True))
        features = (stream.features.feed(samples[key]) for key, stream in streams.items())
        return self._texts(streams, features, last=False)

    def finish(self, keys: Iterable[int]) -> dict[int, str]:
        """Returns the last characters of callers, who then leave. ValueError as for `feed`; then all stay."""
        keys = list(keys)
        leaving = dict(zip(keys, self._known(keys), strict=True))  # each once
        for key in leaving:
            del self._streams[key]
        return self._texts(leaving, (stream.features.finish() for stream in leaving.values()), last=True)

    def _known(self, keys: Iterable[int]) -> list[Stream]:
        for key in keys:
            if not isinstance(key, Integral) or key not in self._streams:
                raise ValueError(f"caller {key!r} is unknown or has left; `open` gives the key of a new one")
        return [self._streams[key] for key in keys]

    def _texts(self, streams: Mapping[int, Stream], features: Iterable[Tensor], last: bool) -> dict[int, str]:
        """Returns the characters of each caller, computed in groups whose arrays stay within AT_ONCE bytes."""
        texts: dict[int, str] = {}
        group: dict[int, Tensor] = {}  # features of the next group
        size = 0  # bytes of its largest array
        for key, own in zip(streams, features, strict=True):
            needed = largest_array(self.network, own.shape[1])
            if group and size + needed > AT_ONCE:
                texts |= self._together(streams, group, last)
                group, size = {}, 0
            group[key], size = own, size + needed
        return texts | self._together(streams, group, last)

    def _together(self, streams: Mapping[int, Stream], features: Mapping[int, Tensor], last: bool) -> dict[int, str]:
        own = [streams[key] for key in features]
        found = advance(self.network, [stream.memory for stream in own], list(features.values()), last)
        return {key: stream.text.feed(each) for key, stream, each in zip(features, own, found, strict=True)}
