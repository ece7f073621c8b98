"""What `auto` and `baseline` mean for a run, and so which run a configuration names."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from prune_rnn import paths
from prune_rnn.config import Config, digest, identity
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.prune import q
from prune_rnn.prune.gradual import AUTO, BASELINE, GradualConfig
from prune_rnn.prune.masker import select
from prune_rnn.run.store import Run, all_runs

GIVEN, CALIBRATED, ESTIMATE = "given", "calibrated", "estimate"  # sources of q; any other is the name of a dense run


def meta_model(config: ModelConfig) -> DeepSpeech2:
    """Returns the network with shapes but without weights."""
    with torch.device("meta"):
        return DeepSpeech2(config)


def run_of(config: Config) -> Run:
    """Returns the run of a resolved configuration, finished or not, begun or not."""
    return Run(paths.runs(Path(config.results)) / f"{config.name}-{digest(config)}")


def resolve(config: Config) -> tuple[Config, str]:
    """Returns the configuration with what it leaves open filled in, and where q comes from.

    `auto`: the sparsity that the network is to have becomes one of the weights that are pruned; q is calibrated to it.
    `baseline`: a run that it has begun goes on with its q, and stands by it once finished. Otherwise q comes from the
    finished dense run of the family's baseline (same data and training, of the lowest seed); where there is none, from
    an estimate of it. Only a finished run on an estimate gives way: a dense run that is there now makes a new one.
    """
    config = copy.deepcopy(config)
    prune = config.prune
    if not isinstance(prune, GradualConfig):
        return config, ""
    model = meta_model(config.model)
    weights = select(model, prune.layers)  # tells of patterns that match nothing, before any work is done
    if prune.q == AUTO:
        if prune.prunable_sparsity is None:
            assert prune.sparsity is not None  # `check` has seen to it
            prune.prunable_sparsity = _of_prunable(prune.sparsity, model, weights)
        prune.sparsity = None  # said in one way only, so that equal runs have equal names
        return config, CALIBRATED
    prune.sparsity = prune.prunable_sparsity = None  # a magnitude is the goal
    if prune.q != BASELINE:
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


def _of_prunable(sparsity: float, model: DeepSpeech2, weights: dict[str, dict[str, nn.Parameter]]) -> float:
    """Returns the sparsity of `weights` that gives the whole model `sparsity`; ValueError where none does."""
    parameters = sum(p.numel() for p in model.parameters())
    prunable = sum(p.numel() for group in weights.values() for p in group.values())
    if not sparsity * parameters < prunable:
        raise ValueError(
            f"prune.sparsity={sparsity}: of {parameters:,} parameters only {prunable:,} can be pruned (those of "
            f"prune.layers); give less than {prunable / parameters:.3f}"
        )
    return min(round(sparsity * parameters / prunable, 6), 0.999999)


def automatic_runs(config: Config) -> list[Run]:
    """Returns the runs, finished or begun, that this configuration's `baseline` has led to, on an estimate last."""

    def without_q(plain: dict[str, Any]) -> dict[str, Any]:
        return {**plain, "prune": {**plain["prune"], **dict.fromkeys(("q", "sparsity", "prunable_sparsity"))}}

    wanted, found = without_q(identity(config)), []
    for run in all_runs(Path(config.results)):
        kept = run.config()
        if kept["q_source"] not in ("", GIVEN, CALIBRATED) and without_q(kept["identity"]) == wanted:
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
