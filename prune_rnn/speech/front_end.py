"""The two ways from a power spectrogram to features. No torch here: the processes that make speech import this."""

from __future__ import annotations

from enum import Enum

FLOOR = 1e-10  # power: the quantisation noise of 16-bit audio lies above it
BELOW_PEAK = 1e-6  # the floor of `relative` over the utterance's peak: 60 dB below
SOFTEST = FLOOR / BELOW_PEAK  # the least peak, as of silence
LOWEST = 2  # bin, 100 Hz: below it lie hum and a microphone's offset, which are no peak of speech


class FrontEnd(Enum):
    """How the network hears; part of a run's identity and of packed files.

    A name stands for one computation, and never changes it: another floor gets a name of its own.

    absolute: the log of the power, no less than FLOOR; each bin is divided by its deviation. A band without speech is
    noise as loud as speech there, and sounds otherwise at another sample rate.
    relative: the log of the power over the utterance's peak, plus a floor 60 dB below it; each bin is divided by its
    deviation, or by 1 neper where that is less. A band without speech is silent, whatever rate and format it came by.
    """

    absolute = "absolute"
    relative = "relative"

    @property
    def least_deviation(self) -> float:
        """The least number that the log power of a bin is divided by."""
        return 1.0 if self is FrontEnd.relative else 0.0
