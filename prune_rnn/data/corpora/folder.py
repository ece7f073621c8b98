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
        texts: dict[Path, Path] = {}  # by the path without its suffix
        audio: dict[Path, list[Path]] = {}
        for path in sorted(folder.rglob("*")):
            suffix, name = path.suffix.lower(), path.with_suffix("")
            if suffix == ".txt":
                texts[name] = path
            elif suffix in _AUDIO:
                audio.setdefault(name, []).append(path)
        if not texts:
            raise ValueError(f"{folder}: has no text files; put the text of a.wav into a.txt, beside it")
        for name in sorted({*texts, *audio}):
            recording, *others = audio.get(name, [name.with_name(f"{name.name}.wav")])
            if others:
                raise ValueError(f"{name}: has {recording.suffix} and {others[0].suffix}; leave one of them")
            text = " ".join(lines_of(texts[name])) if name in texts else ""
            split, speaker = _place(name.relative_to(folder).parts[:-1])
            yield Recording(recording, text, speaker, split)


def _place(folders: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Returns the split and the speaker that the folders of a recording name.

    >>> _place(("train", "anna")), _place(("anna",)), _place(("dev",)), _place(())
    (('train', 'anna'), (None, 'anna'), ('dev', None), (None, None))
    """
    split = folders[0] if folders and folders[0] in SPLITS else None
    speaker = "/".join(folders[1:] if split else folders)
    return split, speaker or None
