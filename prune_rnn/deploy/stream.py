"""Frame by frame: from samples as they come to characters, for networks that only look a little ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from prune_rnn.deploy.advance import Memory, advance, alike
from prune_rnn.deploy.network import Network
from prune_rnn.features import DEVIATION_FLOOR, STEP, WINDOW, frames, log_power
from prune_rnn.text import ALPHABET, BLANK

PIECE = 2 * STEP  # samples fed at a time: 20 ms, one output frame
PRIOR = 3.0  # frames that the corpus's statistics count for, beside those heard so far
HELD = 100  # frames at the beginning that wait for each other


class RunningFeatures:
    """Samples to features, each bin normalised by what was heard so far and the corpus's own statistics.

    Whole files are normalised by their own mean and deviation, which nobody knows before their end. The first HELD
    frames wait for each other and are normalised alike; from then on each frame comes out at once.
    """

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        self._samples = torch.zeros(0)
        self._held: Tensor | None = torch.zeros(len(mean), 0)  # (bins, frames) until there are HELD
        self._count = PRIOR
        mean, deviation = mean.double(), deviation.double()
        self._sums = PRIOR * torch.stack([mean, deviation**2 + mean**2])  # (2, bins): of values, of their squares

    def feed(self, samples: Tensor) -> Tensor:
        """(n,) float in [-1, 1] at 16 kHz -> (bins, frames), as many as the samples complete; maybe none."""
        return feed_features([self], [samples])[0]

    def finish(self) -> Tensor:
        """Returns what is still held, (bins, frames), maybe none."""
        return self._none() if self._held is None else self._normalised_alike(self._held)

    def _complete(self, samples: Tensor) -> Tensor:
        """Returns the samples of all frames that are whole by now, maybe none."""
        heard = torch.cat([self._samples, samples])
        complete = frames(len(heard))
        self._samples = heard[complete * STEP :]
        return heard[: (complete - 1) * STEP + WINDOW if complete else 0]

    def _hold(self, log: Tensor) -> Tensor:
        assert self._held is not None
        self._held = torch.cat([self._held, log], dim=1)
        if self._held.shape[1] < HELD:
            return self._none()
        held, later = self._held[:, :HELD], self._held[:, HELD:]
        return torch.cat([self._normalised_alike(held), _normalised([self], later[None])[0]], dim=1)

    def _normalised_alike(self, log: Tensor) -> Tensor:
        """Returns the first frames normalised by all of them; from now on nothing is held."""
        self._held = None
        _normalised([self], log[None])
        return _scaled(log.double(), self._count, self._sums[..., None])

    def _none(self) -> Tensor:
        return torch.zeros(self._sums.shape[1], 0)


def feed_features(streams: Sequence[RunningFeatures], samples: Sequence[Tensor]) -> list[Tensor]:
    """Feeds each stream its samples, (n,), and returns the features of each; those of as many frames go together."""
    whole = [stream._complete(own) for stream, own in zip(streams, samples, strict=True)]
    found: dict[int, Tensor] = {}
    for group in alike((own.shape[0], stream._held is None) for stream, own in zip(streams, whole, strict=True)):
        if whole[group[0]].shape[0] == 0:
            continue
        logs, own = log_power(torch.stack([whole[i] for i in group])), [streams[i] for i in group]
        if own[0]._held is None:
            found |= zip(group, _normalised(own, logs).unbind(), strict=True)
        else:
            found |= {i: streams[i]._hold(log) for i, log in zip(group, logs.unbind(), strict=True)}
    return [found[i] if i in found else stream._none() for i, stream in enumerate(streams)]


def _normalised(streams: Sequence[RunningFeatures], log: Tensor) -> Tensor:
    """(streams, bins, frames) -> each frame normalised by all that its stream has heard by then."""
    if log.shape[2] == 0:
        return log
    log = log.double()
    count = torch.tensor([[[stream._count + 1 + frame for frame in range(log.shape[2])]] for stream in streams])
    sums = torch.stack([log, log.square()]).cumsum(-1)
    sums += torch.stack([stream._sums for stream in streams], 1)[..., None]
    for stream, own in zip(streams, sums[..., -1].unbind(1), strict=True):
        stream._count, stream._sums = stream._count + log.shape[2], own.clone()
    return _scaled(log, count, sums)


def _scaled(log: Tensor, count: Tensor | float, sums: Tensor) -> Tensor:
    """Returns (..., bins, frames) less its mean, over its deviation, from (2, ..., bins, frames): its sums and those of
    its squares over `count` frames; float32."""
    mean, square = (sums / count).unbind()
    deviation = (square - mean.square()).clamp_min_(0).sqrt_()
    return (log - mean).div_(deviation.add_(DEVIATION_FLOOR)).float()


class NetworkStream:
    """The network fed piece by piece: its outputs together are those for the whole, to rounding, however it is cut.

    ValueError for a network that runs backward in time.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.memory = network, Memory(network)

    def feed(self, features: Tensor) -> Tensor:
        """(bins, frames) normalised -> log-probabilities (output frames, symbols), maybe none yet."""
        return advance(self.network, [self.memory], [features], last=False)[0]

    def finish(self, features: Tensor) -> Tensor:
        """The same for the last piece, which may be empty, and all that was held back."""
        return advance(self.network, [self.memory], [features], last=True)[0]


class GreedyStream:
    """Greedy CTC decoding of log-probabilities as they come: repeats merged, then blanks dropped."""

    def __init__(self) -> None:
        self._last = BLANK

    def feed(self, log_probs: Tensor) -> str:
        """(frames, symbols) -> the characters that they add."""
        text = ""
        for label in log_probs.argmax(-1).tolist():
            if label not in (self._last, BLANK):
                text += ALPHABET[label]
            self._last = label
        return text


class Stream:
    """Samples in, characters out."""

    def __init__(self, network: Network) -> None:
        self.features = RunningFeatures(network.mean, network.deviation)
        self.network = NetworkStream(network)
        self.text = GreedyStream()

    def feed(self, samples: Tensor) -> str:
        """(n,) float in [-1, 1] at 16 kHz -> the characters that they add: about 0.9 s late, as the network looks
        ahead, and none before the first second is heard."""
        return self.text.feed(self.network.feed(self.features.feed(samples)))

    def finish(self) -> str:
        """Returns the characters that were held back for lack of a look ahead; nothing can be fed any more."""
        return self.text.feed(self.network.finish(self.features.finish()))


def streamed_text(network: Network, waveform: Tensor, write: Callable[[str], object] = lambda text: None) -> str:
    """Returns the text of (samples,) at 16 kHz, fed in 20 ms at a time; `write` gets each piece as it is found."""
    stream, text = Stream(network), ""
    for samples in waveform.split(PIECE):
        if found := stream.feed(samples):
            write(found)
            text += found
    if found := stream.finish():
        write(found)
    return text + found
