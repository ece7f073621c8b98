"""Recordings of one's own: a.wav beside a.txt, in folders by split, by speaker, by both or by neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prune_rnn.data.corpora.base import Corpus, Recording, lines_of

_AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif", ".au", ".sph", ".w64", ".caf"}
_SPLITS = {  # by the folder's name in lower case
    "train": "train", "training": "train",
    "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev",
    "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip


class Folder(Corpus):
    """A folder of recordings, each with its text in a UTF-8 file of the same name.

    train/, dev/ and test/ are splits, under any usual name. The first other folder is the speaker: anna/1.wav,
    train/anna/monday/1.wav.
    """

    title, source, language = "your recordings", "each with its text in a file of the same name", None

    def recordings(self, folder: Path) -> Iterator[Recording]:
        """Yields the recordings by path; a text without a recording has a path to no file."""
        texts: dict[Path, Path] = {}  # by the path without its suffix
        audio: dict[Path, list[Path]] = {}
        others: dict[Path, list[Path]] = {}  # of a format that is not known
        for path in sorted(folder.rglob("*")):
            name, suffix = path.with_suffix(""), path.suffix.lower()
            if suffix == ".txt":
                texts[name] = path
            elif suffix:
                (audio if suffix in _AUDIO else others).setdefault(name, []).append(path)
        if not texts:
            raise ValueError(f"{folder}: has no text files; put the text of a.wav into a.txt, beside it")
        places = {name: _place(name.relative_to(folder).parts[:-1]) for name in sorted({*texts, *audio})}
        if "train" in (split for split, _ in places.values()):
            for name, (split, _) in places.items():
                if split is None:
                    raise ValueError(f"{name}: lies beside the train folder; move it into that of train, dev or test")
        for name, (split, speaker) in places.items():
            recording, *more = audio.get(name) or others.get(name, [name])[:1]
            if more:
                raise ValueError(f"{name}: has {recording.suffix} and {more[0].suffix}; leave one of them")
            yield Recording(recording, " ".join(lines_of(texts[name])) if name in texts else None, speaker, split)


def _place(folders: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Returns the split and the speaker that the folders of a recording name.

    >>> _place(("Train", "anna")), _place(("anna", "monday")), _place(("valid",)), _place(())
    (('train', 'anna'), (None, 'anna'), ('dev', None), (None, None))
    """
    split = _SPLITS.get(folders[0].lower()) if folders else None
    rest = folders[1:] if split else folders
    return split, rest[0] if rest else None
