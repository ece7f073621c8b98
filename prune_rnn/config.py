"""The schema of a run, its composition by Hydra, and the rules that span its groups."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prune_rnn import paths
from prune_rnn.data.base import Data
from prune_rnn.data.sets import SETS
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.nearest import nearest
from prune_rnn.prune.base import Method
from prune_rnn.prune.methods import METHODS
from prune_rnn.train import Precision, TrainConfig

OPTIONS: dict[str, dict[str, type]] = {"prune": {**METHODS}, "data": {**SETS}}  # groups whose options are classes
_ELSEWHERE = {"identity": False}  # a field that can't change the result


@dataclass(kw_only=True, slots=True)
class ScaleConfig:
    """How big everything is. The other groups take their defaults from here."""

    name: str
    width: float  # times the paper's units
    conv_channels: int
    epochs: int
    steps_per_epoch: int | None
    batch_size: int
    learning_rate: float
    hold: float  # share of the epochs before the learning rate begins to fall
    anneal: float
    momentum: float
    clip: float | None
    clip_percentile: float | None
    precision: Precision
    train_hours: float
    dev_hours: float
    test_hours: float


@dataclass(kw_only=True, slots=True)
class Config:
    """One run."""

    name: str = field(metadata=_ELSEWHERE)
    seed: int = 0
    results: str = field(default="results", metadata=_ELSEWHERE)
    device: str = field(default="auto", metadata=_ELSEWHERE)  # auto, cpu, cuda, cuda:1 ...
    threads: int | None = field(default=None, metadata=_ELSEWHERE)  # None: as torch chooses
    scale: ScaleConfig = field(metadata=_ELSEWHERE)  # all of it reaches the result by way of the other groups
    model: ModelConfig
    prune: Method
    data: Data
    train: TrainConfig

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
        for group, key, name, option in (
            ("prune", "method", self.prune.method, self.prune), ("data", "name", self.data.name, self.data)
        ):  # fmt: skip
            if OPTIONS[group].get(name) is not type(option):
                raise ValueError(f"{group}.{key}={name}: is not to be set; choose the option by {group}={name}")
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
        raise ValueError(_first_line(error)) from None
    except AttributeError as error:  # a key that `+` added: the slotted dataclass has no place for it
        raise ValueError(f"{error}; leave out the key that '+' added") from None
    assert isinstance(config, Config)
    config.prune.complete(config.model)
    config.check()
    return config


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    key = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), "")
    return f"{key}: {lines[0]}" if key and key not in lines[0] else lines[0]


def explain(overrides: Sequence[str], error: Exception) -> str:
    """Returns one line on what is wrong with overrides that Hydra refused, with the nearest right word."""
    groups = [folder.name for folder in sorted(paths.conf().iterdir()) if folder.is_dir() and folder.name != "table"]
    known = [*groups, *_all_keys()]
    for override in overrides:
        try:
            key = str(OverridesParser.create().parse_override(override).key_or_group)
        except HydraException:
            return f"{override!r} is not of the form key=value"
        if key in groups:
            for value in override.partition("=")[2].split(","):  # several in a sweep
                if value.strip() not in paths.options(key):
                    return f"{key}={value}: " + nearest(value, paths.options(key))
        elif key not in known and not key.startswith("hydra") and override[0] not in "+~":
            return f"{key}: no such key; " + nearest(key, known)
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = _first_line(cause) if isinstance(cause, Exception) and str(cause) else _first_line(error)
    match = re.match(r"(\w+)\.\w+: Key '\w+' (?:is )?not in", text)
    if match and match[1] in groups:
        others = " or ".join(f"{match[1]}={option}" for option in paths.options(match[1]))
        return f"{text.partition(':')[0]}: the {match[1]} option in use has no such key; choose another of {others}"
    return text


def _all_keys() -> list[str]:
    """Returns every key that can stand in an override, in dots, over all options of all groups."""
    schemas: dict[str, list[Any]] = {
        "": [Config],
        "scale.": [ScaleConfig],
        "model.": [ModelConfig],
        "train.": [TrainConfig],
        **{f"{group}.": list(options.values()) for group, options in OPTIONS.items()},
    }
    return sorted({p + f.name for p, nodes in schemas.items() for node in nodes for f in dataclasses.fields(node)})
