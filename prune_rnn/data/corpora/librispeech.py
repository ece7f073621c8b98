"""LibriSpeech: SPLIT/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt beside its FLAC files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording, lines_of


class LibriSpeech(Corpus):
    """All parts named train-* train, dev-clean* is dev, test-clean* is test; dev-other and test-other stay out."""

    title, source = "LibriSpeech", "https://www.openslr.org/12"

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the recordings of the parts that are there."""
        place = self.find(folder, "train-*", "dev-clean*", "test-clean*")
        for split, pattern in (("train", "train-*"), ("dev", "dev-clean*"), ("test", "test-clean*")):
            for transcripts in sorted(place.glob(f"{pattern}/*/*/*.trans.txt")):
                for number, line in enumerate(lines_of(transcripts), 1):
                    name, _, text = line.partition(" ")
                    if not text:
                        raise self.damaged(transcripts, number, "NAME TEXT")
                    yield Recording(transcripts.parent / f"{name}.flac", text, name.partition("-")[0], split)
