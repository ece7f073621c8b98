"""How a recording and its transcript become numbers: the front end, the alphabet, and the spelling of transcripts."""

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
    """What a network hears and writes.

    alphabet: index = label, the blank first. language: of which numbers are spelt and punctuation is dropped; None:
    transcripts are taken as they are, in lower case.
    """

    front_end: FrontEnd = FrontEnd.absolute
    alphabet: str = text.ALPHABET
    language: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Coding:
        """Returns what a data set's plain values state, as a run's identity holds them; KeyError for a wrong one."""
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
        """Returns the transcript as it is trained on."""
        return transcripts.normalise(transcript, self.language, self.alphabet)

    def unknown(self, transcript: str) -> str:
        """Returns the characters of a normalised transcript that the alphabet lacks."""
        return text.unknown_characters(transcript, self.alphabet)

    def labels(self, transcript: str) -> list[int]:
        """Returns one label per character; ValueError where the alphabet lacks a character."""
        return text.encode(transcript, self.alphabet)
