"""What `auto` and `baseline` mean for a run, and so which run a configuration names."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prune_rnn import paths
from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import DeepSpeech2, meta_model
from prune_rnn.prune.base import Method
from prune_rnn.prune.q import ESTIMATE
from prune_rnn.run.identity import digest, identity, plain
from prune_rnn.run.store import Run, all_runs

_BUT_PRUNING = ("seed", "model", "data", "train", "init", "teacher")  # of the identity


def run_of(config: Config) -> Run:
    """Returns the run of a resolved configuration, finished or not, begun or not."""
    return Run(paths.runs(Path(config.results)) / f"{config.name}-{digest(config)}")


def resolve(config: Config) -> tuple[Config, str]:
    """Returns the configuration with what its pruning leaves open filled in, and where q comes from."""
    config = copy.deepcopy(config)
    return config, config.prune.resolve(_Surroundings(config))


def automatic_runs(config: Config) -> list[Run]:
    """Returns the runs, finished or begun, that this configuration with q=baseline led to; on an estimate last."""
    own, found = identity(config), []
    for run in all_runs(Path(config.results)):
        kept = run.config()
        same = all(plain(kept.identity.get(key)) == own.get(key) for key in _BUT_PRUNING)
        if same and config.prune.led_to(kept.prune, kept.q_source):
            found.append((kept.q_source == ESTIMATE, run.folder.name, run))
    return [run for *_, run in sorted(found, key=lambda one: one[:2])]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """The runs beside the one of this configuration, as its pruning method asks for them."""

    config: Config

    def network(self) -> DeepSpeech2:
        return meta_model(self.config.model)

    def baseline(self) -> DeepSpeech2:
        return meta_model(replace(self.config.model, units=self.config.model.baseline_units))

    def earlier(self) -> Iterator[tuple[Method, str, bool]]:
        for run in automatic_runs(self.config):
            kept = run.config()
            yield kept.prune, kept.q_source, run.finished

    def dense(self, layers: Any) -> tuple[str, dict[str, float]] | None:
        """Returns the finished dense run that differs in width, pruning and seed only, of the lowest seed."""
        if layers != self.config.model.prunable:
            return None
        own, found = identity(self.config), []
        for run in all_runs(Path(self.config.results)):
            kept = run.config()
            of_family = (
                not kept.prune.prunes
                and kept.model.units == self.config.model.baseline_units
                and plain(replace(kept.model, units=0)) == plain(replace(self.config.model, units=0))
                and (kept.data, plain(kept.train)) == (own["data"], own["train"])
                and not kept.identity.keys() & {"init", "teacher"}
            )
            if of_family and run.finished:
                found.append((kept.seed, run.folder.name, run))
        if not found:
            return None
        run = min(found, key=lambda one: one[:2])[2]
        q = run.result().q_of_weights
        return None if q is None else (run.folder.name, q)
