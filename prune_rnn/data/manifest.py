"""JSON-lines manifests as NeMo and icefall write them: `audio_filepath`, `duration` in seconds, `text`; `speaker`,
where known, is what intervals of error rates are drawn by."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from prune_rnn.config.option import option
from prune_rnn.data.base import SPLITS, Data, Say
from prune_rnn.data.fingerprint import fingerprint, is_fingerprint, recordings
from prune_rnn.data.noise import noise
from prune_rnn.data.transcripts import check_language
from prune_rnn.speech import text
from prune_rnn.speech.front_end import FrontEnd
from prune_rnn.typed import Plain
from prune_rnn.usage import UsageError


@dataclass(kw_only=True, slots=True)
class Manifest(Data):
    """Three manifests of your own; relative audio paths are relative to the manifest's folder."""

    name: str = option("its name; not to be set: give data=manifest", "manifest")
    train: str = option("manifest to train on, JSON lines", path=True)
    dev: str = option("manifest to choose the best epoch by", path=True)
    test: str = option("manifest to measure the error rates on", path=True)
    skip_bad: bool = option("go on without the lines that can't be used, after naming them", False)
    front_end: FrontEnd = option(
        "normalisation of features (relative: the same at every sample rate; active: also beside long silence)",
        FrontEnd.active,
        before=FrontEnd.absolute,
    )
    alphabet: str = option("characters of the transcripts, besides the space", text.LATIN, later=True)
    normalise: str | None = option(
        "language (en, de, es ...) whose numbers are spelt; punctuation goes; null: neither", None, later=True
    )

    @property
    def symbols(self) -> int:
        return len(text.alphabet_of(self.alphabet))

    @property
    def skips_bad(self) -> bool:
        return self.skip_bad

    def check(self) -> None:
        """Raises ValueError where a manifest doesn't exist, two splits are the same file, or a key of text is wrong."""
        text.check_characters("data.alphabet", self.alphabet)
        check_language("data.normalise", self.normalise)
        paths = {split: Path(getattr(self, split)).resolve() for split in SPLITS}
        for split in self._here():
            path = paths[split]
            if not os.path.isfile(path):  # False, too, for a name that is too long
                what = "is a folder" if os.path.isdir(path) else "no such file"
                raise ValueError(f"data.{split}={getattr(self, split)}: {what}; give the path of a manifest")
        if len(set(paths.values())) < len(SPLITS):
            raise ValueError("data.train, data.dev and data.test must be three different manifests")
        for one, other, shared, whole in self._shared():
            if whole:
                raise ValueError(
                    f"data.{one} and data.{other}: all {shared} recordings of the one are in the other, too; the error "
                    "rates would be of what was trained on: give other recordings"
                )

    def _shared(self) -> list[tuple[str, str, int, bool]]:
        """Returns (split, later split, recordings they share, whether that is all of one of them) where there are."""
        found = []
        for one, other in combinations(self._here(), 2):
            first, second = (recordings(Path(getattr(self, split))) for split in (one, other))
            if shared := len(first & second):
                found.append((one, other, shared, shared == min(len(first), len(second))))
        return found

    def content(self) -> Plain:
        """Returns the fingerprint of each split, in place of its path."""
        here, given = self._here(), {split: getattr(self, split) for split in SPLITS}
        return {split: fingerprint(Path(value)) if split in here else value for split, value in given.items()}

    def _here(self) -> list[str]:
        """Returns the splits that are given as paths: `prune-rnn report` may have fingerprints in their place."""
        return [split for split in SPLITS if not is_fingerprint(getattr(self, split))]

    def manifests(self, say: Say) -> dict[str, Path]:
        """Returns the files as given; reports recordings that are in two of them. ValueError for a fingerprint."""
        if absent := [f"data.{split}={getattr(self, split)}" for split in SPLITS if split not in self._here()]:
            raise ValueError(f"{absent[0]}: is the fingerprint of a manifest; give the path of the manifest")
        for one, other, shared, _ in self._shared():
            what = f"{shared} recording{'s' * (shared != 1)}"
            say(f"warning: data.{one} and data.{other} share {what}: the error rates look better than they are")
        return {split: Path(getattr(self, split)) for split in SPLITS}

    def describe(self) -> str:
        return self.train

    @classmethod
    def sample(cls, folder: Path) -> list[str]:
        """Returns overrides for three manifests, each of one recording of noise."""
        return ["data=manifest", *(f"data.{split}={path}" for split, path in noise(folder).items())]

    @classmethod
    def recorded_dev(cls, kept: Plain, manifest: str | None, cache: str | None, say: Say) -> Path:
        """Returns the manifest that the user gives, which must be the run's, wherever it lies now."""
        if manifest is None:
            raise UsageError("the run was trained on manifests: give that of its dev split by --dev PATH")
        path = Path(manifest)
        if not os.path.isfile(path):
            raise UsageError(f"--dev {manifest}: no such file; give the manifest of the run's dev split")
        if fingerprint(path) != kept["dev"]:
            raise UsageError(f"--dev {manifest}: is not the dev split that the run was trained with; give that one")
        return path
