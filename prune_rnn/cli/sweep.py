"""`prune-rnn train -m`: Hydra's sweeper and launcher over experiments; a failed job does not end the sweep."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from prune_rnn import paths
from prune_rnn.cli.outcome import Job, Outcome, saved, table
from prune_rnn.config.compose import REFUSALS, named, read, reason, split
from prune_rnn.config.config import compose_config, from_composed
from prune_rnn.train.distributed import launched_rank
from prune_rnn.usage import FAULTS, UsageError, within

_PLUGINS = {  # Hydra's own, by the option that each brings
    "hydra/sweeper=optuna": "hydra-optuna-sweeper",
    "hydra/sweeper=nevergrad": "hydra-nevergrad-sweeper",
    "hydra/sweeper=ax": "hydra-ax-sweeper",
    "hydra/launcher=joblib": "hydra-joblib-launcher",
    "hydra/launcher=submitit_slurm": "hydra-submitit-launcher",
    "hydra/launcher=submitit_local": "hydra-submitit-launcher",
}
_BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def _attempt(composed: DictConfig, command: str, job: str) -> Outcome:
    """Runs one experiment. job: its name, which is printed."""
    from prune_rnn.train.experiment import experiment, say

    try:
        say(job)
        run = experiment(from_composed(composed), command)
        result = run.result()
        cer = f"{100 * result.test.cer.rate:.2f}"
        print(f"{run.folder}: test CER {cer} %", flush=True)
        minutes = f"{result.train_seconds / 60:.1f}"
        return Outcome(cer=cer, sparsity=f"{100 * result.sparsity:.1f}", minutes=minutes, dev_cer=result.dev.cer)
    except FAULTS as error:
        print(f"prune-rnn: {error}", file=sys.stderr, flush=True)
        return Outcome(failed=str(error))


def sweep(overrides: Sequence[str], command: str) -> int:
    """Runs all combinations of the overrides' values, then prints a line for each; returns 1 where one failed, else 0.

    Another sweeper than Hydra's own chooses its jobs as it goes. ValueError, before the first, where one can't be run.
    """
    for word in overrides:
        if re.match(r"hydra\.(run|sweep)\b", split(word)[1]):
            raise UsageError(f"{word}: does not move the runs; set their folder by results=...")
    overrides = [str(read(word, sweep=True).input_line) for word in overrides]
    basic = _sweeper([word for word in overrides if _is_hydras(word)]) == _BASIC
    combinations = _combinations(overrides, basic)
    common = set.intersection(*map(set, combinations))

    def own(words: Sequence[str]) -> str:
        return " ".join([word for word in words if word not in common] or words)

    def name(number: int, words: Sequence[str]) -> str:
        return f"job {number}{f' of {len(combinations)}' if basic else ''}: {own(words)}"

    for number, words in enumerate(combinations, 1):  # all are checked before the first is trained
        try:
            results = compose_config(words).results
        except ValueError as error:
            message = f"{error}".removeprefix(f"{own(words)}: ")  # which the job's name ends with
            raise UsageError(f"{name(number, words)}: {message}; nothing was trained") from None
    logs = paths.sweeps(Path(results)) / f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{os.getpid()}"
    jobs = _launch(overrides, command, name, logs)
    for job in jobs:
        if job.outcome.failed:
            print(f"failed: {' '.join(job.overrides)}: {job.outcome.failed}", file=sys.stderr)
    if launched_rank() == 0:
        print(f"\n{table([(own(job.overrides), job.outcome) for job in jobs])}", flush=True)
    return 1 if any(job.outcome.failed for job in jobs) else 0


def _is_hydras(override: str) -> bool:
    return split(override)[1].startswith(("hydra.", "hydra/"))


def _sweeper(overrides: Sequence[str]) -> str:
    """Returns the `_target_` of the sweeper; UsageError where Hydra's own settings can't be used.

    overrides: of Hydra's own keys. Nothing else is composed, so an error of Hydra's is the user's mistake.
    """
    try:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(paths.conf()), version_base="1.3", job_name="prune_rnn"):
            hydra = compose("config", list(overrides), return_hydra_config=True).hydra
        for key in ("sweeper", "launcher"):
            if not isinstance(hydra[key], DictConfig):
                raise UsageError(f"hydra.{key}={hydra[key]}: is a group; choose one of its options by hydra/{key}=...")
        if (size := hydra.sweeper.get("max_batch_size")) is not None:
            within("hydra.sweeper.max_batch_size", size, 1, sys.maxsize)
        return f"{hydra.sweeper._target_}"
    except UsageError:
        raise
    except (*REFUSALS, AssertionError, TypeError, AttributeError) as error:
        if lacks := next((word for word in overrides if word in _PLUGINS and "Could not find" in reason(error)), None):
            raise UsageError(f"{lacks} is not installed; pip install {_PLUGINS[lacks]}") from None
        raise UsageError(
            f"{' '.join(overrides)}: Hydra can't use that; correct it, or install the plug-in that brings it "
            f"({reason(error)})"
        ) from None


def _combinations(overrides: Sequence[str], basic: bool) -> list[list[str]]:
    """Returns the overrides of each job, as Hydra's own sweeper splits them; ValueError where one can't be read.

    basic: Hydra's own sweeper chooses; else the overrides with one value are returned, as those of one job.
    """
    words = [word for word in overrides if not _is_hydras(word)]
    parsed = OverridesParser.create().parse_overrides(words)
    for word, one in zip(words, parsed, strict=True):
        with named(word):
            if one.is_discrete_sweep() and not list(one.sweep_string_iterator()):
                raise ValueError("gives no value, so there is nothing to train; give one or more")
            if basic and one.is_interval_sweep():
                raise ValueError(
                    "an interval needs a sweeper that searches; pip install hydra-optuna-sweeper and add "
                    "hydra/sweeper=optuna, or give values"
                )
            if basic:
                BasicSweeper.split_arguments([one], None)
    if not basic:
        return [[word for word, one in zip(words, parsed, strict=True) if not one.is_sweep_override()]]
    return [words for batch in BasicSweeper.split_arguments(parsed, None) for words in batch]


def _launch(overrides: Sequence[str], command: str, name: Callable[[int, Sequence[str]], str], logs: Path) -> list[Job]:
    """Runs the jobs by Hydra's launcher, and returns them. name: of a job, from 1. logs: the sweep's folder of logs."""

    def job(composed: DictConfig) -> Outcome:
        known = HydraConfig.get()
        words = list(known.overrides.task)
        outcome = _attempt(composed, command, name(known.job.num + 1, words))
        if launched_rank() == 0:
            Job(words, outcome).save(Path(known.runtime.output_dir))
        return outcome

    overrides = [*overrides, f"hydra.sweep.dir=${{results}}/{logs.parent.name}/{logs.name}"]
    try:
        GlobalHydra.instance().clear()
        # hydra.main would do the same, but does not return the jobs' return values
        hydra = Hydra.create_main_hydra2("prune_rnn", create_config_search_path(str(paths.conf())))
        batches: Any = hydra.multirun("config", job, overrides, with_log_configuration=False)
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(reason(error)) from None
    finally:
        GlobalHydra.instance().clear()
    if batches is None:  # the sweeper does not hand on what the jobs returned
        return saved(logs)
    jobs = []
    for one in (one for batch in batches for one in batch):
        got = one._return_value  # an exception where the launcher itself failed
        outcome = got if isinstance(got, Outcome) else Outcome(failed=str(got or "it did not finish"))
        jobs.append(Job(list(one.overrides or []), outcome))
    return jobs
