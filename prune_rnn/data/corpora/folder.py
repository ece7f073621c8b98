"""Recordings of one's own: a.wav beside a.txt, in folders by split, by speaker, by both or by neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.base import SPLITS
from prune_rnn.data.corpora.base import Corpus, Recording, lines_of

_AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif", ".au", ".sph", ".w64", ".caf"}


class Folder(Corpus):
    """A folder of recordings, each with its text in a UTF-8 file of the same name.

    train/, dev/ and test/ are splits. Any other folder is a speaker: anna/1.wav, train/anna/1.wav.
    """

    title, source, language = "a folder of recordings", "your recordings", None

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the recordings by path; one without a text file has an empty text, one without audio no file."""
        names: dict[Path, set[str]] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in {*_AUDIO, ".txt"}:
                names.setdefault(path.with_suffix(""), set()).add(path.suffix)
        if not any(".txt" in suffixes for suffixes in names.values()):
            raise ValueError(f"{folder}: has no text files; put the text of a.wav into a.txt, beside it")
        for name, suffixes in names.items():
            audio = sorted(suffixes - {".txt"}) or [".wav"]
            if len(audio) > 1:
                raise ValueError(f"{name}: has {' and '.join(audio)}; leave one of them")
            text = " ".join(lines_of(name.with_name(f"{name.name}.txt"))) if ".txt" in suffixes else ""
            split, speaker = _place(name.relative_to(folder).parts[:-1])
            yield Recording(name.with_name(name.name + audio[0]), text, speaker, split)


def _place(folders: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Returns the split and the speaker that the folders of a recording name.

    >>> _place(("train", "anna")), _place(("anna",)), _place(("dev",)), _place(())
    (('train', 'anna'), (None, 'anna'), ('dev', None), (None, None))
    """
    split = folders[0] if folders and folders[0] in SPLITS else None
    speaker = "/".join(folders[1:] if split else folders)
    return split, speaker or None
