"""What `auto` means for a run, and so which run a configuration names."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from prune_rnn import paths
from prune_rnn.config import Config, digest, identity
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.prune import q
from prune_rnn.prune.gradual import GradualConfig
from prune_rnn.prune.masker import select
from prune_rnn.run import Run, all_runs

GIVEN, ESTIMATE = "given", "estimate"  # sources of q; any other is the name of a dense run


def meta_model(config: ModelConfig) -> DeepSpeech2:
    """Returns the network with shapes but without weights."""
    with torch.device("meta"):
        return DeepSpeech2(config)


def run_of(config: Config) -> Run:
    """Returns the run of a resolved configuration, finished or not, begun or not."""
    return Run(paths.runs(Path(config.results)) / f"{config.name}-{digest(config)}")


def resolve(config: Config) -> tuple[Config, str]:
    """Returns the configuration with q as numbers instead of `auto`, and where they come from.

    A run that `auto` has begun goes on with its q, and stands by it once finished. Otherwise q comes from the finished
    dense run of the family's baseline (same data and training, of the lowest seed); where there is none, from an
    estimate of it. Only a finished run on an estimate gives way: a dense run that is there now makes a new one.
    """
    config = copy.deepcopy(config)
    prune = config.prune
    if not isinstance(prune, GradualConfig):
        return config, ""
    select(meta_model(config.model), prune.layers)  # tells of patterns that match nothing, before any work is done
    if prune.sparsity is not None:
        return config, f"calibrated to sparsity {prune.sparsity}"
    if prune.q != "auto":
        prune.q = prune.q_per_type()
        return config, GIVEN
    dense = _dense_run(config)
    for run in automatic_runs(config):
        kept = run.config()
        if kept["q_source"] != ESTIMATE or not run.finished or dense is None:
            prune.q = kept["identity"]["prune"]["q"]
            return config, kept["q_source"]
    if dense is not None:
        prune.q = dense.result()["q_of_weights"]
        return config, dense.folder.name
    baseline = meta_model(replace(config.model, units=config.model.baseline_units))
    prune.q = q.estimated(select(baseline, prune.layers))
    return config, ESTIMATE


def automatic_runs(config: Config) -> list[Run]:
    """Returns the runs, finished or begun, that this configuration's `auto` has led to, those on an estimate last."""

    def without_q(plain: dict[str, Any]) -> dict[str, Any]:
        return {**plain, "prune": {**plain["prune"], "q": None}}

    wanted, found = without_q(identity(config)), []
    for run in all_runs(Path(config.results)):
        kept = run.config()
        if kept["q_source"] not in ("", GIVEN) and without_q(kept["identity"]) == wanted:
            found.append((kept["q_source"] == ESTIMATE, run.folder.name, run))
    return [run for *_, run in sorted(found, key=lambda one: one[:2])]


def _dense_run(config: Config) -> Run | None:
    """Returns the finished dense run that differs from the configuration in width, pruning and seed only."""
    if config.prune.layers != config.model.prunable:
        return None  # its q is of other weights

    def family(plain: dict[str, Any]) -> dict[str, Any]:
        return {"model": {**plain["model"], "units": None}, "data": plain["data"], "train": plain["train"]}

    wanted, found = family(identity(config)), []
    for run in all_runs(Path(config.results)):
        plain = run.config()["identity"]
        dense = plain["prune"]["method"] == "none" and plain["model"]["units"] == config.model.baseline_units
        if dense and run.finished and family(plain) == wanted:
            found.append((plain["seed"], run.folder.name, run))
    return min(found, key=lambda one: one[:2])[2] if found else None
