"""Streaming: samples in, characters out, for networks that run only forward in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from prune_rnn.deploy.advance import Memory, advance
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.running import RunningFeatures
from prune_rnn.speech.features import STEP
from prune_rnn.speech.text import ALPHABET, BLANK

PIECE = 2 * STEP  # samples fed at a time: 20 ms, one output frame
LOUDEST = 2.0  # the greatest sample: resampling may pass 1, but not by so much
_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)  # of samples


class GreedyStream:
    """Greedy CTC decoding of log-probabilities as they come: repeats merged, then blanks dropped."""

    def __init__(self, alphabet: str = ALPHABET) -> None:
        self._alphabet, self._last = alphabet, BLANK

    def feed(self, log_probs: Tensor) -> str:
        """(frames, symbols) -> the characters that they add."""
        text = ""
        for label in log_probs.argmax(-1).tolist():
            if label not in (self._last, BLANK):
                text += self._alphabet[label]
            self._last = label
        return text


def checked(samples: ArrayLike | Tensor, whose: str = "") -> Tensor:
    """Returns samples (an array, a tensor or a list) as (n,) float32 without gradient; errors name `whose`.

    ValueError where there is more than one channel, or they are not floating-point numbers from -LOUDEST to LOUDEST.
    """
    way = 'give float in [-1, 1], as soundfile.read(..., dtype="float32") does'
    if isinstance(samples, np.ndarray) and not samples.flags.writeable:  # as frombuffer's: torch would warn
        samples = samples.copy()
    try:
        given = torch.as_tensor(samples, device="cpu").detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"samples{whose} that are no array of numbers ({error}): {way}") from None
    if given.dim() != 1:
        raise ValueError(f"samples of shape {tuple(given.shape)}{whose}: give one channel, (samples,)")
    if given.layout is not torch.strided:
        raise ValueError(f"samples of layout {str(given.layout).removeprefix('torch.')}{whose}: give a dense tensor")
    if given.dtype not in _TYPES:
        raise ValueError(f"samples of type {str(given.dtype).removeprefix('torch.')}{whose}: {way}")
    peak = float(given.abs().max()) if len(given) else 0.0  # NaN where any sample is
    if not peak <= LOUDEST:
        what = f"a sample beyond {LOUDEST:g} ({peak:.4g})" if math.isfinite(peak) else "samples that are not finite"
        raise ValueError(f"{what}{whose}: {way}")
    return given.float()


class Stream:
    """Samples in, characters out. ValueError for a network that runs backward in time."""

    def __init__(self, network: Network) -> None:
        self.features = RunningFeatures(network.mean, network.deviation, network.coding.front_end)
        self.network, self.memory = network, Memory(network)
        self.text = GreedyStream(network.coding.alphabet)

    def feed(self, samples: ArrayLike | Tensor) -> str:
        """(n,) float in [-1, 1] at 16 kHz, as soundfile.read(..., dtype="float32") returns -> the characters added.

        samples: an array, a tensor or a list. Text is about 0.9 s late, as the network looks ahead, and the first
        second gives none. ValueError for another shape, integers, and samples that are not finite or beyond LOUDEST;
        the stream is then unchanged.
        """
        return self.feed_checked(checked(samples))

    def feed_checked(self, samples: Tensor) -> str:
        """The same for samples from `checked` or `read_audio`."""
        return self._characters(self.features.feed(samples), last=False)

    def finish(self) -> str:
        """Returns the last characters; ends the stream."""
        return self._characters(self.features.finish(), last=True)

    def _characters(self, features: Tensor, last: bool) -> str:
        return self.text.feed(advance(self.network, [self.memory], [features], last)[0])


def streamed_text(
    network: Network, sound: Tensor | Iterable[Tensor], write: Callable[[str], object] = lambda text: None
) -> str:
    """Returns the text of samples at 16 kHz; calls `write` with each new piece of text.

    sound: (samples,), fed 20 ms at a time, or the pieces to feed.
    """
    stream, text = Stream(network), ""
    for samples in sound.split(PIECE) if isinstance(sound, Tensor) else sound:
        if found := stream.feed_checked(samples):
            write(found)
            text += found
    if found := stream.finish():
        write(found)
    return text + found
