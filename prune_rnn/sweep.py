"""`prune-rnn train -m`: Hydra's sweeper and launcher over experiments; a failed job does not end the sweep."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from prune_rnn import paths
from prune_rnn.config import explain, from_composed


def job(command: str) -> Callable[[DictConfig], str]:
    """Returns what each job of the sweep runs; it returns an error in words instead of raising, "" for success."""

    def run(composed: DictConfig) -> str:
        from prune_rnn.experiment import experiment

        try:
            finished = experiment(from_composed(composed), command)
        except (ValueError, OSError, ArithmeticError, RuntimeError) as error:
            print(f"prune-rnn: {error}", file=sys.stderr, flush=True)
            return str(error)
        print(f"{finished.folder}: test CER {100 * finished.result()['test']['cer']['rate']:.2f} %", flush=True)
        return ""

    return run


def sweep(overrides: Sequence[str], command: str) -> int:
    """Runs all combinations of the overrides' values; returns 1, after naming them, where some failed, else 0."""
    try:
        GlobalHydra.instance().clear()
        # hydra.main would do the same but keeps the jobs' return values to itself
        hydra = Hydra.create_main_hydra2("prune_rnn", _search_path())
        batches: Any = hydra.multirun("config", job(command), list(overrides), with_log_configuration=False)
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(explain(overrides, error)) from None
    finally:
        GlobalHydra.instance().clear()
    failed = [
        (" ".join(one.overrides or []), str(one._return_value))
        for batch in batches
        for one in batch
        if one._return_value  # "" where all went well; an exception where the launcher itself failed
    ]
    for words, reason in failed:
        print(f"failed: {words}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _search_path() -> Any:
    from hydra._internal.utils import create_config_search_path

    return create_config_search_path(str(paths.conf()))
