"""The rows of Table 3 with their runs, found by composing each row's own configuration."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from prune_rnn import paths
from prune_rnn.config import Config, compose_config
from prune_rnn.run.identity import identity
from prune_rnn.run.record import Recorded, recorded
from prune_rnn.run.resolve import automatic_runs, resolve, run_of
from prune_rnn.run.store import Run, all_runs, usable
from prune_rnn.table.finished import Finished, whole
from prune_rnn.typed import Plain
from prune_rnn.usage import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model and its finished runs, one per seed, in the seeds' order."""

    label: str
    family: str
    model: str
    command: str  # that makes a run for it
    units: int
    sparse: bool
    config: Recorded  # resolved
    paper: Plain = field(default_factory=dict)
    runs: list[Finished] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)  # those of the runs that its command would not make today


def collect(overrides: Sequence[str]) -> tuple[Config, list[Row]]:
    """Returns the configuration in common and the rows of conf/table/table3.yaml with what runs there are.

    A row's runs are found by composing its own configuration for each seed that any run on disk has. Overrides of
    `prune` go to the rows that are pruned.
    """
    for override in overrides:
        if override.lstrip("+~").split("=")[0] in ("model", "seed", "prune"):
            raise UsageError(f"{override}: the rows choose the model and include every seed; leave it out")
    common = [override for override in overrides if not override.lstrip("+~").startswith("prune.")]
    shared = compose_config(common)
    runs = all_runs(Path(shared.results))
    if not runs:
        folder = paths.runs(Path(shared.results))
        raise UsageError(f"results={shared.results}: there is no run in {folder}; train one, or give their folder")
    seeds = sorted({run.config().seed for run in runs if run.finished})
    rows = []
    for entry in yaml.safe_load((paths.conf() / "table" / "table3.yaml").read_text())["rows"]:
        model = f"model={entry['model']}"
        own, config = [model, *common], compose_config([model, *common])
        sparse = config.prune.prunes
        if sparse and common != list(overrides):
            own = [model, *overrides]
            config = compose_config(own)  # tells what is wrong with them, also where there is no run yet
        found = [one for seed in seeds if (one := _finished(compose_config([*own, f"seed={seed}"])))]
        rows.append(
            Row(
                label=entry["label"],
                family=entry["family"],
                model=entry["model"],
                command=shlex.join(["prune-rnn", "train", *own]),
                units=config.model.units,
                sparse=sparse,
                config=recorded(*resolve(config)),
                paper=entry.get("paper", {}),
                runs=whole(run for run, _ in found),
                outdated=[run.folder.name for run, current in found if not current],
            )
        )
    return shared, rows


def _finished(config: Config) -> tuple[Run, bool] | None:
    """Returns the finished run that the configuration names, else one that its `q=baseline` led to before; whether it
    is the one that it names now."""
    wanted = run_of(resolve(config)[0])
    if wanted.finished and usable(wanted, wanted.check):
        return wanted, True
    automatic = automatic_runs(config) if config.prune.follows_runs else []
    return next(((run, False) for run in automatic if run.finished), None)


def comparable(shared: Config) -> list[Finished]:
    """Returns all finished runs of this scale that were trained and tested on the same data, by name."""
    data = identity(shared)["data"]
    found = whole(run for run in all_runs(Path(shared.results)) if run.finished)
    return [run for run in found if run.config.scale.name == shared.scale.name and run.config.data == data]
