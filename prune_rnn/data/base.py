"""The interface of data sets: their manifests, and their part of a run's identity.

A data set is an option of the group `data`: one module with one class, one YAML file, one line in `sets.py`. This
module imports no torch: the processes that make synthetic speech import it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prune_rnn.config.option import option
from prune_rnn.speech.front_end import FrontEnd
from prune_rnn.typed import Plain

SPLITS = ("train", "dev", "test")
SYMBOLS = 29  # of the paper's alphabet
Say = Callable[[str], None]


@dataclass(kw_only=True, slots=True)
class Data(ABC):
    """A data set, chosen by `data=<name>`."""

    name: str = option("its name; not to be set: give data=NAME")
    front_end: FrontEnd = option(
        "normalisation of features (relative: the same at every sample rate; active: also beside long silence)",
        FrontEnd.absolute,
        later=True,
    )

    @property
    def symbols(self) -> int:
        """Number of the network's output symbols, the blank included."""
        return SYMBOLS

    @property
    def skips_bad(self) -> bool:
        """Whether unusable lines are reported and left out."""
        return False

    @abstractmethod
    def check(self) -> None:
        """Raises ValueError that names the key, its value and the fix."""

    @abstractmethod
    def content(self) -> Plain:
        """Returns the fields of the identity that stand for the content, in place of paths."""

    @abstractmethod
    def manifests(self, say: Say) -> dict[str, Path]:
        """Returns the manifest of each split; makes it where it is missing."""

    @abstractmethod
    def describe(self) -> str:
        """Returns the training data in words."""

    @classmethod
    @abstractmethod
    def recorded_dev(cls, kept: Plain, manifest: str | None, cache: str | None, say: Say) -> Path:
        """Returns the dev manifest of a run.

        kept: the data's part of its identity. manifest: path from the user. cache: folder of synthetic speech.
        ValueError where the manifest is missing or not the run's.
        """

    @classmethod
    @abstractmethod
    def sample(cls, folder: Path) -> list[str]:
        """Returns overrides that choose it with seconds of speech, made in `folder`, for the contract tests."""

    @classmethod
    def recorded_train(cls, kept: Plain, cache: str | None, say: Say) -> Path | None:
        """Returns the train manifest of a run, as `recorded_dev`; None where the run does not record its path."""
        return None
