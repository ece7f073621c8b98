"""What a data set answers: its manifests, what names a run that uses it, and what stands beside its numbers.

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
        "how the network hears; relative: the same at every sample rate",
        FrontEnd.absolute,
        later=True,
    )

    @property
    def symbols(self) -> int:
        """Of the network's output, the blank included."""
        return SYMBOLS

    @property
    def skips_bad(self) -> bool:
        """Whether lines that can't be used are left out, after naming them."""
        return False

    @abstractmethod
    def check(self) -> None:
        """Raises ValueError that names the key, the value and the way out."""

    @abstractmethod
    def content(self) -> Plain:
        """Returns what stands for the content in a run's identity, wherever it lies, beside or in place of fields."""

    @abstractmethod
    def manifests(self, say: Say) -> dict[str, Path]:
        """Returns the manifest of each split, made first where it does not exist."""

    @abstractmethod
    def describe(self) -> str:
        """Returns what it trains on, in words."""

    @classmethod
    @abstractmethod
    def recorded_dev(cls, kept: Plain, manifest: str | None, cache: str | None, say: Say) -> Path:
        """Returns the dev manifest of a run that recorded `kept`, its data's part of the identity.

        manifest, cache: where the user says that it lies, or the folder of made speech. ValueError where it can't be
        had, or where the manifest is not the run's.
        """

    @classmethod
    @abstractmethod
    def sample(cls, folder: Path) -> list[str]:
        """Returns overrides that choose it with seconds of speech, made in `folder`: the contract tests run over it."""

    @classmethod
    def recorded_train(cls, kept: Plain, cache: str | None, say: Say) -> Path | None:
        """Returns the train manifest of a run that recorded `kept`; None where only the user knows where it lies."""
        return None
