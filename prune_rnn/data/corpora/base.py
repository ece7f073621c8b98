"""What a published corpus answers: its recordings with their transcripts, or what is missing and where it comes from.

A corpus is one module with one class, and one line in `catalogue.py`; the contract test covers it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prune_rnn import files


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording as published. text: None where there is none. split: train, dev or test; None where the corpus has
    no such split. speaker: None where it is not known."""

    audio: Path
    text: str | None
    speaker: str | None
    split: str | None


class Corpus(ABC):
    """A corpus. title, source: its name, and where it comes from. language: of its transcripts; None: of the folder."""

    title: str
    source: str
    language: str | None = "en"

    @abstractmethod
    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the recordings in the corpus's order; ValueError where the folder does not have its layout."""

    def find(self, folder: Path, *parts: str) -> Path:
        """Returns the folder, or the one folder in it, that holds all parts; ValueError that names what is missing."""
        inner = sorted(path for path in folder.glob("*") if path.is_dir())
        for place in [folder, *(inner if len(inner) == 1 else [])]:
            if all(any(place.glob(part)) for part in parts):
                return place
        missing = ", ".join(part for part in parts if not any(folder.glob(part)))
        raise ValueError(f"{folder}: is not {self.title} as published: it has no {missing}; get it from {self.source}")

    def damaged(self, path: Path, number: int, wanted: str) -> ValueError:
        """Returns the error of a line that is not as published."""
        return ValueError(f"{path}: line {number} is not {wanted}; get the file again from {self.source}")


def lines_of(path: Path) -> list[str]:
    """Returns the lines of a text file of a corpus, without empty ones; ValueError where it is no UTF-8."""
    try:
        return [line for line in files.lines(files.read(path, files.LINES)) if line.strip()]
    except ValueError as error:
        raise ValueError(f"{path}: can't be read ({error}); save it as UTF-8 with line feeds") from None
