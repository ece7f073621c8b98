"""What the utterances of a synthetic corpus are drawn from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranges:
    """The corpus's seed, and the ranges of signal to noise (dB), rate (words per minute) and pitch."""

    seed: int
    snr_low: float
    snr_high: float
    rate_low: int
    rate_high: int
    pitch_low: int
    pitch_high: int
