"""Many callers of one network, as the sound of each arrives: samples in, characters out, computed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from numbers import Integral

from numpy.typing import ArrayLike
from torch import Tensor

from prune_rnn.deploy.advance import advance
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.stream import Stream, checked


class Streams:
    """Callers that join and leave at any time; each gets the text that `Stream` gives it alone.

    Each matrix is read once for all callers that are fed together, so feed them together: all whose samples arrived in
    the last 20 ms, say. The network should be chosen for about so many: `load(path, frames=1, streams=16)`.

        streams = Streams(network)
        key = streams.open()
        texts = streams.feed({key: samples, other: its_samples})
        texts = streams.finish([key])

    ValueError for a network that runs backward in time.
    """

    def __init__(self, network: Network) -> None:
        Stream(network)  # tells of a network that can't
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
        """The samples of some callers, (n,) float in [-1, 1] each, of any length -> the characters that they add, as
        by `Stream.feed`.

        ValueError for an unknown caller, one that left, or samples that `Stream.feed` refuses; then no caller was fed.
        """
        self._known(samples)
        return self.feed_checked({key: checked(own, f" for caller {key}") for key, own in samples.items()})

    def feed_checked(self, samples: Mapping[int, Tensor]) -> dict[int, str]:
        """The same for what `checked` or `read_audio` returned."""
        streams = self._known(samples)
        features = [stream.features.feed(own) for stream, own in zip(streams, samples.values(), strict=True)]
        return self._heard(list(samples), streams, features, last=False)

    def finish(self, keys: Iterable[int]) -> dict[int, str]:
        """The callers leave, and get the characters that were held back. ValueError as for `feed`; then all stay."""
        keys = list(keys)
        leaving = dict(zip(keys, self._known(keys), strict=True))  # each once
        for key in leaving:
            del self._streams[key]
        streams = list(leaving.values())
        return self._heard(list(leaving), streams, [stream.features.finish() for stream in streams], last=True)

    def _known(self, keys: Iterable[int]) -> list[Stream]:
        for key in keys:
            if not isinstance(key, Integral) or key not in self._streams:
                raise ValueError(f"caller {key!r} is unknown or has left; `open` gives the key of a new one")
        return [self._streams[key] for key in keys]

    def _heard(self, keys: list[int], streams: list[Stream], features: list[Tensor], last: bool) -> dict[int, str]:
        found = advance(self.network, [stream.network.memory for stream in streams], features, last)
        return {key: stream.text.feed(own) for key, stream, own in zip(keys, streams, found, strict=True)}
