"""The ways from a power spectrogram to features. No torch here: the processes that make speech import this."""

from __future__ import annotations

from enum import Enum

FLOOR = 1e-10  # power: the quantisation noise of 16-bit audio lies above it
BELOW_PEAK = 1e-6  # the floor of `relative` over the utterance's peak: 60 dB below
SOFTEST = FLOOR / BELOW_PEAK  # the least peak, as of silence
ACTIVE = 1e-3  # a frame is active if its loudest bin has this share of the peak's power: at most 30 dB below
HOLD = 25  # frames, 0.25 s: frames so near to an active one count in the statistics of `active`
LOWEST = 2  # bin, 100 Hz: below it lie hum and a microphone's offset, which are no peak of speech


class FrontEnd(Enum):
    """How the network hears; part of a run's identity and of packed files.

    A name stands for one computation, and never changes it: another floor gets a name of its own.

    absolute: the log of the power, no less than FLOOR; each bin is divided by its deviation. A band without speech is
    noise as loud as speech there, and sounds otherwise at another sample rate.
    relative: the log of the power over the utterance's peak, plus a floor 60 dB below it; each bin is divided by its
    deviation, or by 1 neper where that is less. A band without speech is silent, whatever rate and format it came by.
    active: as `relative`, but a frame counts in mean and deviation only if an active one lies at most HOLD frames from
    it. So long silence before or after the speech hardly changes how the speech sounds.
    """

    absolute = "absolute"
    relative = "relative"
    active = "active"

    @property
    def least_deviation(self) -> float:
        """The least number that the log power of a bin is divided by."""
        return 0.0 if self is FrontEnd.absolute else 1.0

    def serves(self, other: FrontEnd) -> bool:
        """Whether a network trained with this front end can start, or teach, one with the other.

        `active` differs from `relative` in long silence alone.
        """
        return self is other or FrontEnd.absolute not in (self, other)
