"""The schema of a run, its composition by Hydra, and the rules that span its groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prune_rnn import paths
from prune_rnn.data.base import Data
from prune_rnn.data.sets import SETS
from prune_rnn.explain import explain, first_line
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.prune.base import Method
from prune_rnn.prune.methods import METHODS
from prune_rnn.schema import option
from prune_rnn.train import Precision, TrainConfig

OPTIONS: dict[str, dict[str, type]] = {"prune": {**METHODS}, "data": {**SETS}}  # groups whose options are classes


@dataclass(kw_only=True, slots=True)
class ScaleConfig:
    """How big everything is. The other groups take their defaults from here."""

    name: str = option("the scale's name, as tables state it")
    width: float = option("units as a multiple of the paper's, above 0")
    conv_channels: int = option("channels of each convolution")
    epochs: int = option("passes, or stretches of steps_per_epoch steps")
    steps_per_epoch: int | None = option("optimizer steps per epoch; null: one pass over all batches")
    batch_size: int = option("utterances per batch")
    learning_rate: float = option("learning rate of the first epoch")
    hold: float = option("fraction of the epochs before the learning rate begins to fall")
    anneal: float = option("after that, the learning rate is divided by this after each epoch")
    momentum: float = option("Nesterov momentum, between 0 and 1")
    clip: float | None = option("limit of the gradient's norm; null: none")
    clip_percentile: float | None = option("the same, as a percentile of all norms so far; null: none")
    precision: Precision = option("matrix products outside the time loop")
    train_hours: float = option("hours of synthetic speech to train on")
    dev_hours: float = option("hours of synthetic speech to choose the best epoch by")
    test_hours: float = option("hours of synthetic speech to test on")


@dataclass(kw_only=True, slots=True)
class Config:
    """One run."""

    name: str = option("first part of the run's folder; default: the model's name", identity=False)
    seed: int = option("seed of initialisation and data order, 0 or more", 0)
    results: str = option("folder of runs, tables and figures", "results", identity=False)
    device: str = option("where to compute: auto, cpu, cuda, cuda:1 ...", "auto", identity=False)
    threads: int | None = option("CPU threads; null: torch's choice", None, identity=False)
    # all of the scale reaches the result by way of the other groups
    scale: ScaleConfig = option("widths, amount of data, epochs and recipe", identity=False)
    model: ModelConfig = option("the network")
    prune: Method = option("when and how far weights are pruned")
    data: Data = option("what the network hears")
    train: TrainConfig = option("the training loop")

    def check(self) -> None:
        """Raises ValueError that names the key, the value and the way out."""
        if not re.fullmatch(r"[\w.+-]+", self.name):
            raise ValueError(f"name={self.name!r}: it names a folder; use letters, digits, '_', '-', '.' and '+' only")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed={self.seed}: must be 0 or more")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads={self.threads}: must be 1 or more")
        if not self.scale.width > 0:
            raise ValueError(f"scale.width={self.scale.width}: must be above 0")
        for key, name, chosen in (
            ("prune.method", self.prune.method, self.prune), ("data.name", self.data.name, self.data)
        ):  # fmt: skip
            group = key.partition(".")[0]
            if OPTIONS[group].get(name) is not type(chosen):
                raise ValueError(f"{key}={name}: is not to be set; choose the option by {group}={name}")
        self.model.check()
        self.train.check()
        self.prune.check(self.train.epochs)
        self.data.check()


def _register() -> None:
    store = ConfigStore.instance()
    for group, name, node in (
        ("schema", "config", Config),
        ("schema", "scale", ScaleConfig),
        ("schema", "model", ModelConfig),
        *((f"schema/{group}", name, node) for group, options in OPTIONS.items() for name, node in options.items()),
    ):
        store.store(group=group, name=name, node=node)
    # ${scaled:2560}: the paper's units at this scale. ${epochs:0.25,1}: a share of all epochs, at most so many.
    OmegaConf.register_new_resolver(
        "scaled", lambda units, *, _root_: max(1, round(units * _root_.scale.width)), replace=True
    )
    OmegaConf.register_new_resolver(
        "epochs",
        lambda share, most=float("inf"), *, _root_: float(min(share * _root_.train.epochs, most)),
        replace=True,
    )


_register()


def compose_config(overrides: Sequence[str]) -> Config:
    """Returns the configuration that the overrides give, checked; ValueError names what is wrong and the way out."""
    try:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(paths.conf()), version_base="1.3", job_name="prune_rnn"):
            composed = compose("config", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(explain(overrides, error)) from None
    return from_composed(composed)


def from_composed(composed: DictConfig) -> Config:
    """Returns the checked Config of what Hydra composed."""
    try:
        config: Any = OmegaConf.to_object(composed)
    except MissingMandatoryValue as error:
        key = f"{error.full_key or ''}"
        if not key or "." not in key:  # omegaconf names only the last part when it builds a dataclass
            key = next((str(k) for k in sorted(OmegaConf.missing_keys(composed))), key)
        raise ValueError(f"{key} has no value; give one by {key}=...") from None
    except OmegaConfBaseException as error:
        raise ValueError(first_line(error)) from None
    except AttributeError as error:  # a key that `+` added: the slotted dataclass has no place for it
        raise ValueError(f"{error}; leave out the key that '+' added") from None
    assert isinstance(config, Config)
    config.prune.complete(config.model)
    config.check()
    return config
