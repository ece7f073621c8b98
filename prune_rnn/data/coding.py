"""From a recording and its transcript to numbers: the front end, the alphabet, and the spelling of transcripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from prune_rnn.data import transcripts
from prune_rnn.speech import text
from prune_rnn.speech.features import log_spectrogram
from prune_rnn.speech.front_end import FrontEnd


@dataclass(frozen=True, slots=True)
class Coding:
    """The features and the symbols of a network.

    alphabet: index = label, the blank first. language: in which numbers are spelt, without punctuation; None:
    transcripts are only put in lower case.
    """

    front_end: FrontEnd = FrontEnd.absolute
    alphabet: str = text.ALPHABET
    language: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Coding:
        """Returns the coding in a data set's part of an identity; KeyError for an unknown front end."""
        characters = data.get("alphabet")
        return cls(
            FrontEnd[data.get("front_end", FrontEnd.absolute.name)],
            text.ALPHABET if characters is None else text.alphabet_of(characters),
            data.get("normalise"),
        )

    def features(self, waveform: Tensor) -> Tensor:
        """(samples,) at 16 kHz -> (bins, frames), normalised; ValueError where it is shorter than one window."""
        return log_spectrogram(waveform, self.front_end)

    def normalise(self, transcript: str) -> str:
        """Returns the transcript in the form of the training."""
        return transcripts.normalise(transcript, self.language, self.alphabet)
