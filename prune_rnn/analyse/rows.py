"""The rows of a table with their finished runs, found by the configuration of each row."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from prune_rnn import paths
from prune_rnn.analyse.finished import Finished, whole
from prune_rnn.analyse.hypotheses import Edits
from prune_rnn.analyse.interval import Spread, pooled
from prune_rnn.analyse.layout import RowLayout
from prune_rnn.analyse.origins import origins
from prune_rnn.analyse.sources import Sources, command, keys, placeholders, sources
from prune_rnn.config.config import Config, compose_config
from prune_rnn.run.identity import identity, plain, whatever_seed
from prune_rnn.run.record import Recorded, recorded
from prune_rnn.run.resolve import automatic_runs, resolve, run_of
from prune_rnn.run.store import Run, all_runs, usable
from prune_rnn.typed import Plain
from prune_rnn.usage import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model and its finished runs, one per seed, in the seeds' order."""

    label: str
    family: str
    model: str
    command: str  # trains the run of seed 0, or a network that it starts from or learns from
    trains: Callable[[int], str]  # the same for any seed
    units: int
    sparse: bool
    config: Recorded  # resolved
    composed: Config  # not resolved
    paper: Plain = field(default_factory=dict)
    runs: list[Finished] = field(default_factory=list)
    before: dict[str, list[Finished]] = field(default_factory=dict)  # by a run's name: those trained for it
    outdated: list[str] = field(default_factory=list)  # names of runs that its command would not make today

    @property
    def names(self) -> list[str]:
        """The names of its runs."""
        return [run.name for run in self.runs]

    def commands(self, seeds: int) -> list[tuple[int, str]]:
        """Returns (seed, command) of each missing run among the first `seeds` seeds."""
        there = {run.seed for run in self.runs}
        return [(seed, self.trains(seed)) for seed in range(seeds) if seed not in there]


def beside_baselines(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Returns each row with its baseline: the first row of its family, which may be the row itself."""
    baselines: dict[str, Row] = {}
    return [(row, baselines.setdefault(row.family, row)) for row in rows]


class Library:
    """The finished runs of one results folder, for the rows of tables.

    overrides: of all rows. Those of `prune` count for pruned rows only.
    common: the overrides that are not of `prune`. shared: the configuration that they give.
    """

    def __init__(self, overrides: Sequence[str]) -> None:
        for override in overrides:
            if override.lstrip("+~").split("=")[0] in ("model", "seed", "prune"):
                raise UsageError(f"{override}: the rows choose the model and include every seed; leave it out")
        self._overrides = list(overrides)
        self.common = [override for override in overrides if not override.lstrip("+~").startswith("prune.")]
        self.shared = compose_config(self.common)
        runs = all_runs(Path(self.shared.results))
        self.empty = not runs
        self._seeds = sorted({run.config().seed for run in runs if run.finished})
        self._rows: dict[tuple[str, ...], Row] = {}
        self._edits: dict[str, Edits | None] = {}

    def row(self, of: RowLayout) -> Row:
        """Returns a row with the runs of every seed that any run on disk has."""
        named = (of.overrides, of.teacher, *of.init)
        if named not in self._rows:
            self._rows[named] = self._found(of)
        found = self._rows[named]
        return replace(found, label=of.label or of.overrides, family=of.family or found.family, paper=of.paper)

    def rows(self, of: Sequence[RowLayout]) -> list[Row]:
        """Returns all rows of a table."""
        return [self.row(each) for each in of]

    def spread(self, rows: Sequence[Row]) -> Spread | None:
        """Returns the spread of seeds, pooled over all settings with the data and the training of any of the rows.

        Runs that differ only in train.precision or train.average count as trained alike.
        """
        wanted = [(row.config.data, _training(row.config)) for row in rows]
        settings: dict[str, list[float]] = {}
        for run in self._finished:
            if (run.config.data, _training(run.config)) in wanted:
                key = json.dumps([whatever_seed(run.config.identity), self._origins[run.name]], sort_keys=True)
                settings.setdefault(key, []).append(run.cer)
        return pooled(settings.values())

    @cached_property
    def _finished(self) -> list[Finished]:
        return whole(run for run in all_runs(Path(self.shared.results)) if run.finished)

    @cached_property
    def _origins(self) -> dict[str, str]:
        return origins(self._finished)

    def comparable(self) -> list[Finished]:
        """Returns all finished runs of this scale that were trained and tested on the same data, by name."""
        scale, data = self.shared.scale.name, identity(self.shared)["data"]
        return [run for run in self._finished if run.config.scale.name == scale and run.config.data == data]

    def edits(self, rows: Sequence[Row]) -> dict[str, Edits | None]:
        """Returns the edits of runs by name: those of the rows, and all that were asked for before.

        Each run's texts are aligned once, as that takes most of a report's time.
        """
        for run in (run for row in rows for run in row.runs if run.name not in self._edits):
            self._edits[run.name] = run.edits()
        return self._edits

    def composed(self, words: Sequence[str]) -> Config:
        """Returns the configuration that the overrides give, with the results folder in common."""
        rest = tuple(word for word in words if not word.startswith("results="))
        return replace(_composed(rest), results=self.shared.results)

    def _found(self, of: RowLayout) -> Row:
        words, open_ends = shlex.split(of.overrides), placeholders(of)
        own = [*words, *self.common]
        config = self.composed([*own, *open_ends])
        if config.prune.prunes and self.common != self._overrides:
            own = [*words, *self._overrides]
            try:
                config = self.composed([*own, *open_ends])  # reports what is wrong with them, also without a run yet
            except UsageError as error:
                named = of.label or of.overrides
                raise UsageError(f"{error} (row {named!r}); or choose other tables by --table") from None

        def at(seed: int) -> Sources:
            return sources(of, seed, self.common, self.composed)

        def of_seed(seed: int, its: Sources) -> Config:
            found = replace(config, seed=seed)
            for key in keys(of):
                setattr(found, key, its.where.get(key))
            return found

        def trains(seed: int) -> str:
            its = at(seed)
            return its.missing or command([*own, *(f"{key}={path}" for key, path in its.where.items())], seed)

        there = [(seed, its) for seed in self._seeds if not (its := at(seed)).missing]
        found = [(*one, its) for seed, its in there if (one := _run_of(of_seed(seed, its)))]
        resolved = recorded(*resolve(of_seed(config.seed, at(config.seed))))
        return Row(
            label="",
            family=resolved.model.cell.name,
            model=config.model.name,
            command=trains(0),
            trains=trains,
            units=config.model.units,
            sparse=config.prune.prunes,
            config=resolved,
            composed=config,
            runs=whole(run for run, _, _ in found),
            before={run.folder.name: whole(its.before) for run, _, its in found},
            outdated=[run.folder.name for run, current, _ in found if not current],
        )


@cache
def _composed(words: tuple[str, ...]) -> Config:
    """Returns the configuration, composed once for all results folders: that takes most of a second."""
    return compose_config(words)


def _training(config: Recorded) -> Plain:
    """Returns how a run was trained, but for its rounding and the averaging of its weights."""
    return {key: value for key, value in plain(config.train).items() if key not in ("precision", "average")}


def no_runs(shared: Config) -> UsageError:
    """Returns the error for a results folder without runs."""
    folder = paths.runs(Path(shared.results))
    return UsageError(f"results={shared.results}: there is no run in {folder}; train one, or give another folder")


def _run_of(config: Config) -> tuple[Run, bool] | None:
    """Returns the finished run of the configuration, and whether its command would make that run today.

    With q=baseline it may be a run on an earlier q. None where there is neither.
    """
    wanted = run_of(resolve(config)[0])
    if wanted.finished and usable(wanted, wanted.check):
        return wanted, True
    automatic = automatic_runs(config) if config.prune.follows_runs else []
    return next(((run, False) for run in automatic if run.finished), None)
