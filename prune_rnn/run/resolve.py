"""The values of `auto` and `baseline` in a configuration, and the run that the configuration then names."""

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
from prune_rnn.run.identity import digest, family, identity
from prune_rnn.run.store import Run, all_runs

_BUT_PRUNING = ("seed", "model", "data", "train", "init", "teacher")  # of the identity


def run_of(config: Config) -> Run:
    """Returns the run of a resolved configuration, finished or not, begun or not."""
    return Run(paths.runs(Path(config.results)) / f"{config.name}-{digest(config)}")


def resolve(config: Config) -> tuple[Config, str]:
    """Returns the configuration with all open values of its pruning filled in, and the source of q."""
    config = copy.deepcopy(config)
    return config, config.prune.resolve(_Surroundings(config))


def automatic_runs(config: Config) -> list[Run]:
    """Returns the runs, finished or begun, that this configuration with q=baseline led to, by name.

    Those with an estimated q are last.
    """
    own, found = identity(config), []
    for run in all_runs(Path(config.results)):
        recorded = run.config()
        same = all(recorded.identity.get(key) == own.get(key) for key in _BUT_PRUNING)
        if same and config.prune.led_to(recorded.prune, recorded.q_source):
            found.append(run)
    return sorted(found, key=lambda run: run.config().q_source == ESTIMATE)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """The networks and runs beside this configuration's own, as its pruning method needs them."""

    config: Config

    def network(self) -> DeepSpeech2:
        return meta_model(self.config.model)

    def baseline(self) -> DeepSpeech2:
        return meta_model(replace(self.config.model, units=self.config.model.baseline_units))

    def earlier(self) -> Iterator[tuple[Method, str, bool]]:
        for run in automatic_runs(self.config):
            recorded = run.config()
            yield recorded.prune, recorded.q_source, run.finished

    def dense(self, layers: Any) -> tuple[str, dict[str, float]] | None:
        """Returns the name and q of the baseline: the finished dense run of the lowest seed, of the baseline's width.

        It has neither a start nor a teacher, and otherwise differs in pruning only.
        """
        if layers != self.config.model.prunable:
            return None
        wanted = family(identity(self.config)) | {"init": None, "teacher": None}
        found = [
            run
            for run in all_runs(Path(self.config.results))
            if run.finished
            and not run.config().prune.prunes
            and run.config().model.units == self.config.model.baseline_units
            and family(run.config().identity) == wanted
        ]
        if not found:
            return None
        run = min(found, key=lambda run: run.config().seed)
        q = run.result().q_of_weights
        return None if q is None else (run.folder.name, q)
