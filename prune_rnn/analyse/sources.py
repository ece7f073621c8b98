"""The sources of a row's runs: the networks that they start from or learn from, seed by seed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prune_rnn import paths
from prune_rnn.analyse.layout import RowLayout
from prune_rnn.config.config import Config
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.store import Run

PACKED = "model-float32.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources of one run.

    where: packed files or folders, by "init" and "teacher"; none where one is missing. missing: the command that trains
    the first missing network, or "". before: the runs that it starts from, in their order, and that of its teacher.
    """

    where: dict[str, str]
    missing: str
    before: tuple[Run, ...]


def keys(of: RowLayout) -> list[str]:
    """Returns which of "init" and "teacher" the row has networks for."""
    return [key for key, chain in _chains(of).items() if chain]


def placeholders(of: RowLayout) -> list[str]:
    """Returns overrides that stand for a row's sources, to compose the row before they exist."""
    return [f"{key}=SOURCE" for key in keys(of)]


def sources(of: RowLayout, seed: int, common: Sequence[str], compose: Callable[[Sequence[str]], Config]) -> Sources:
    """Returns the sources of a row's run of this seed; each network of `of.init` starts from the one before."""
    found: dict[str, str] = {}
    before: list[Run] = []
    for key, chain in _chains(of).items():
        start: list[str] = []
        for words in chain:
            own = [*shlex.split(words), *common, *start]
            config = compose([*own, f"seed={seed}"])
            run = run_of(resolve(config)[0])
            source = weights_of(run)
            if source is None:
                return Sources(where=found, missing=command(own, seed), before=())
            start = [f"init={source}"]
            found[key] = str(source)
            if run.folder not in [each.folder for each in before]:
                before.append(run)
    return Sources(where=found, missing="", before=tuple(before))


def weights_of(run: Run) -> Path | None:
    """Returns what holds the weights of a finished run: its packed file, else its folder; None where nothing does."""
    packed = run.folder / PACKED
    if packed.is_file():
        return packed
    return run.folder if run.finished and (run.folder / paths.MODEL).is_file() else None


def command(words: Sequence[str], seed: int) -> str:
    """Returns the command that trains a network."""
    return shlex.join(["prune-rnn", "train", *words, *([f"seed={seed}"] if seed else [])])


def packed_bytes(folder: Path) -> int | None:
    """Returns the size of a run's packed file; None where there is none."""
    path = folder / PACKED
    return path.stat().st_size if path.is_file() else None


def _chains(of: RowLayout) -> dict[str, Sequence[str]]:
    return {"init": of.init, "teacher": [of.teacher] if of.teacher else []}
