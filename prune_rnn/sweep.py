"""`prune-rnn train -m`: Hydra's sweeper and launcher over experiments; a failed job does not end the sweep."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from prune_rnn import paths
from prune_rnn.config import Config, compose_config, from_composed
from prune_rnn.explain import explain
from prune_rnn.overrides import quoted
from prune_rnn.usage import UsageError


def _attempt(make: Callable[[], Config], command: str) -> str:
    """Runs one experiment; returns what went wrong, "" for success."""
    from prune_rnn.experiment import experiment

    try:
        run = experiment(make(), command)
        print(f"{run.folder}: test CER {100 * run.result().test.cer.rate:.2f} %", flush=True)
    except (ValueError, OSError, ArithmeticError, RuntimeError) as error:
        print(f"prune-rnn: {error}", file=sys.stderr, flush=True)
        return str(error)
    return ""


def sweep(overrides: Sequence[str], command: str) -> int:
    """Runs all combinations of the overrides' values; returns 1, after naming them, where some failed, else 0."""
    overrides = quoted(overrides, sweep=True)
    combinations = _combinations(overrides)
    fine = [_composes(words) for words in combinations]
    if not any(fine):
        compose_config(combinations[0])  # tells what is wrong
    if all(fine):
        outcomes = _launch(overrides, command)
    else:
        # Hydra drops the whole sweep for one combination that doesn't compose: here the others run all the same
        outcomes = [(words, _attempt(partial(compose_config, words), command)) for words in combinations]
    failed = [(words, reason) for words, reason in outcomes if reason]
    for words, reason in failed:
        print(f"failed: {' '.join(words)}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _combinations(overrides: Sequence[str]) -> list[list[str]]:
    """Returns the overrides of each job, as Hydra's own sweeper splits them; ValueError where one can't be read."""
    try:
        parsed = OverridesParser.create().parse_overrides([o for o in overrides if not o.startswith("hydra")])
        return [words for batch in BasicSweeper.split_arguments(parsed, None) for words in batch]
    except (HydraException, ValueError, RecursionError) as error:
        raise UsageError(explain(overrides, error)) from None


def _composes(words: list[str]) -> bool:
    try:
        compose_config(words)
    except ValueError:
        return False
    return True


def _launch(overrides: Sequence[str], command: str) -> list[tuple[list[str], str]]:
    """Has Hydra's launcher run the jobs; returns the overrides of each and what went wrong, "" for success."""

    def job(composed: DictConfig) -> str:
        return _attempt(partial(from_composed, composed), command)

    try:
        GlobalHydra.instance().clear()
        # hydra.main would do the same but keeps the jobs' return values to itself
        hydra = Hydra.create_main_hydra2("prune_rnn", create_config_search_path(str(paths.conf())))
        batches: Any = hydra.multirun("config", job, list(overrides), with_log_configuration=False)
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(explain(overrides, error)) from None
    finally:
        GlobalHydra.instance().clear()
    # the return value is an exception where the launcher itself failed
    return [(list(one.overrides or []), str(one._return_value or "")) for batch in batches for one in batch]
