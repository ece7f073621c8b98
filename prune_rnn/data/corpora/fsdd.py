"""Free Spoken Digit Dataset: recordings/DIGIT_SPEAKER_NUMBER.wav."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording


class FSDD(Corpus):
    """One digit a recording. Its published test split shares all speakers with train, so it is not taken."""

    title, source = "Free Spoken Digit Dataset", "https://github.com/Jakobovski/free-spoken-digit-dataset"

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields all recordings by name, the digit as a number."""
        place = self.find(folder, "recordings/*_*_*.wav")
        for audio in sorted((place / "recordings").glob("*_*_*.wav")):
            digit, speaker, _ = audio.stem.split("_", 2)
            yield Recording(audio, digit, speaker, None)
