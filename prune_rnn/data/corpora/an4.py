"""AN4: etc/an4_{train,test}.{transcription,fileids} and wav/, in SPHERE files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording, lines_of

_LINE = re.compile(r"(?:<s>)?\s*(.*?)\s*(?:</s>)?\s*\((\S+)\)")


class AN4(Corpus):
    """Census data: names, addresses and commands. Its train speakers are split into train and dev."""

    title, source = "AN4", "http://www.speech.cs.cmu.edu/databases/an4/an4_sphere.tar.gz"

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the recordings of both published splits; the train split is marked `train`, dev is not there."""
        needed = [f"etc/an4_{split}.{kind}" for split in ("train", "test") for kind in ("transcription", "fileids")]
        place = self.find(folder, *needed, "wav")
        for split in ("train", "test"):
            texts = place / "etc" / f"an4_{split}.transcription"
            lines, names = lines_of(texts), lines_of(texts.with_suffix(".fileids"))
            if len(lines) != len(names):
                raise self.damaged(texts, min(len(lines), len(names)) + 1, f"the transcript of {texts.stem}.fileids")
            for number, (line, name) in enumerate(zip(lines, names, strict=True), 1):
                found = _LINE.fullmatch(line.strip())
                if found is None or found[2] != Path(name).name:
                    raise self.damaged(texts, number, f"the transcript of {name}")
                yield Recording(place / "wav" / f"{name}.sph", found[1], Path(name).parent.name, split)
