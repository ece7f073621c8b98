"""LJ Speech: metadata.csv (name|text|text with numbers spelt) and wavs/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording, lines_of


class LJSpeech(Corpus):
    """One reader."""

    title, source = "LJ Speech", "https://keithito.com/LJ-Speech-Dataset"

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the recordings by name, with the text that has its numbers spelt."""
        place = self.find(folder, "metadata.csv", "wavs")
        for number, line in enumerate(lines_of(place / "metadata.csv"), 1):
            cells = line.split("|")
            if len(cells) != 3:
                raise self.damaged(place / "metadata.csv", number, "NAME|TEXT|TEXT")
            yield Recording(place / "wavs" / f"{cells[0]}.wav", cells[2] or cells[1], "lj", None)
