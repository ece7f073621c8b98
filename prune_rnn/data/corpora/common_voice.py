"""Common Voice: train.tsv, dev.tsv and test.tsv of one language, with its MP3 files in clips/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording, lines_of

_COLUMNS = ("client_id", "path", "sentence")


class CommonVoice(Corpus):
    """One language's folder; its name is the language's code."""

    title, source, language = "Common Voice", "https://commonvoice.mozilla.org/datasets", None

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the validated recordings of the three published splits."""
        place = self.find(folder, "train.tsv", "dev.tsv", "test.tsv", "clips")
        for split in ("train", "dev", "test"):
            table = place / f"{split}.tsv"
            head, *lines = lines_of(table) or [""]
            names = head.split("\t")
            if missing := [name for name in _COLUMNS if name not in names]:
                raise self.damaged(table, 1, f"a header with {', '.join(missing)}")
            speaker, path, sentence = (names.index(name) for name in _COLUMNS)
            for number, line in enumerate(lines, 2):
                cells = line.split("\t")
                if len(cells) <= max(speaker, path, sentence):
                    raise self.damaged(table, number, f"{len(names)} columns")
                yield Recording(place / "clips" / cells[path], cells[sentence], cells[speaker][:16], split)
