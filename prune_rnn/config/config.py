"""The schema of a run, its composition by Hydra, and the rules that span its groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf

from prune_rnn.config.compose import REFUSALS, compose, of_resolver, reason
from prune_rnn.config.option import expand_home, option
from prune_rnn.data.base import SYMBOLS, Data
from prune_rnn.data.sets import SETS
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.prune.base import Method
from prune_rnn.prune.methods import METHODS
from prune_rnn.train.recipe import Precision, TrainConfig
from prune_rnn.train.trackers import Logger
from prune_rnn.usage import THREADS, UsageError, check_device, check_file_name, of_the_command_line, shown, within

_WIDEST = 100.0  # times the paper's units
_DISTILLATION = {"distil": (0.5, 1e6), "temperature": (1.0, 1e3)}  # default, greatest
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
    speeds: list[float] = option("factors of speed, one drawn for each utterance", factory=lambda: [1.0], before=[1.0])
    bin_masks: int = option("bands of bins hidden in each utterance (SpecAugment)", 0, later=True)
    frame_masks: int = option("stretches of frames hidden in each utterance (SpecAugment)", 0, later=True)
    train_hours: float = option("hours of synthetic speech to train on")
    dev_hours: float = option("hours of synthetic speech to choose the best epoch by")
    test_hours: float = option("hours of synthetic speech to test on")


@dataclass(kw_only=True, slots=True)
class Config:
    """One run."""

    name: str = option("first part of the run's folder; default: the model's name", identity=False)
    seed: int = option("seed of initialisation and data order, 0 or more", 0)
    results: str = option("folder of runs, tables and figures", "results", identity=False, path=True)
    device: str = option("where to compute: auto, cpu, cuda, cuda:1 ...", "auto", identity=False)
    threads: int | None = option("CPU threads; null: torch's choice", None, identity=False)
    logger: Logger = option("where each epoch's numbers go besides history.csv", Logger.none, identity=False)
    # the contents of the two files are part of the identity, their paths are not
    init: str | None = option(
        "run (a folder) or packed file whose weights training starts from", None, identity=False, path=True
    )
    teacher: str | None = option(
        "run (a folder) or packed file whose output is learnt beside the transcripts", None, identity=False, path=True
    )
    distil: float = option(
        "weight of the divergence from the teacher; the CTC loss has 1", _DISTILLATION["distil"][0], identity=False
    )
    temperature: float = option(
        "by which the logits of both are divided in that divergence", _DISTILLATION["temperature"][0], identity=False
    )
    # the scale changes the result only through the other groups
    scale: ScaleConfig = option("widths, amount of data, epochs and recipe", identity=False)
    model: ModelConfig = option("the network")
    prune: Method = option("when and how far weights are pruned")
    data: Data = option("what the network hears")
    train: TrainConfig = option("the training loop")

    def check(self) -> None:
        """Raises ValueError that names the key, the value and the way out."""
        check_file_name("name", self.name)
        check_file_name("scale.name", self.scale.name)  # of a report's files
        if not self.results:
            raise ValueError("results='': names no folder; leave it out, or give results=.")
        within("seed", self.seed, 0, 2**63 - 1)
        within("threads", self.threads, 1, THREADS)
        _width(self.scale.width)
        check_device(self.device)
        for group, key, options in (("prune", "method", self.prune), ("data", "name", self.data)):
            name = getattr(options, key)
            if OPTIONS[group].get(name) is not type(options):
                raise ValueError(f"{group}.{key}={shown(name)}: is not to be set; choose the option by {group}={name}")
        for key, (default, most) in _DISTILLATION.items():
            value = getattr(self, key)
            if not 0 < value <= most:
                raise ValueError(f"{key}={value}: must be above 0 and at most {most:,.0f}")
            if self.teacher is None and value != default:
                raise ValueError(f"{key}={value}: works with teacher=RUN only; name one, or leave it out")
        if self.prune.starts_sparse and self.init is None:
            raise ValueError(
                f"prune={self.prune.method}: keeps the zeros of a pruned network; name one by init=RUN, or choose "
                "another method"
            )
        self.model.check()
        self.train.check()
        self.prune.check(self.train.epochs)
        self.data.check()


def _width(width: float) -> float:
    if not 0 < width <= _WIDEST:
        raise ValueError(f"scale.width={width}: must be above 0 and at most {_WIDEST:g}, as a multiple of the paper's")
    return width


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
        "scaled", lambda units, *, _root_: max(1, round(units * _width(_root_.scale.width))), replace=True
    )
    OmegaConf.register_new_resolver(
        "epochs",
        lambda share, most=float("inf"), *, _root_: float(min(share * _root_.train.epochs, most)),
        replace=True,
    )


_register()


def compose_config(overrides: Sequence[str]) -> Config:
    """Returns the configuration that the overrides give, checked; UsageError names what is wrong and the way out."""
    return from_composed(compose(overrides))


def from_composed(composed: DictConfig) -> Config:
    """Returns the checked Config of what Hydra composed; UsageError names what is wrong."""
    with of_the_command_line():
        config = _typed(composed)
        for options in (config, config.data):
            expand_home(options)
        config.prune.complete(config.model)
        _complete(config.model, config.data)
        config.check()
    return config


def _complete(model: ModelConfig, data: Data) -> None:
    """Sets the network's number of output symbols from the alphabet; ValueError where another number was set."""
    if model.symbols not in (SYMBOLS, data.symbols):
        raise ValueError(f"model.symbols={model.symbols}: is not to be set; give the characters by data.alphabet")
    model.symbols = data.symbols


def _typed(composed: DictConfig) -> Config:
    try:
        config: Any = OmegaConf.to_object(composed)
    except MissingMandatoryValue as error:
        key = f"{error.full_key or ''}"
        if not key or "." not in key:  # omegaconf names only the last part when it builds a dataclass
            key = next((str(k) for k in sorted(OmegaConf.missing_keys(composed))), key)
        raise UsageError(f"{key} has no value; give one by {key}=...") from None
    except REFUSALS as error:
        where = None if of_resolver(error) else getattr(error, "full_key", None)
        raise UsageError(f"{where}: {reason(error)}" if where else reason(error)) from None
    except AttributeError as error:  # a key that `+` added: the slotted dataclass has no place for it
        raise UsageError(f"{error}; leave out the key that '+' added") from None
    assert isinstance(config, Config)
    return config
