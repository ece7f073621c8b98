"""A run's files as typed values: its configuration (config.yaml) and its result (result.json)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prune_rnn.config.config import Config, ScaleConfig
from prune_rnn.model.deepspeech2 import ModelConfig, read_model
from prune_rnn.prune.base import Method
from prune_rnn.prune.methods import METHODS
from prune_rnn.run.identity import identity, plain
from prune_rnn.speech.scores import Scores
from prune_rnn.train.recipe import TrainConfig
from prune_rnn.typed import Plain, typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A run's configuration.

    data: its part of the identity: the content, not the paths. values: the plain values of config.yaml.
    """

    name: str
    scale: ScaleConfig
    q_source: str
    seed: int
    model: ModelConfig
    prune: Method
    data: Plain
    train: TrainConfig
    values: Plain

    @property
    def identity(self) -> Plain:
        """The plain values whose digest names the run."""
        identity: Plain = self.values["identity"]
        return identity


def recorded(config: Config, q_source: str) -> Recorded:
    """Returns the record of a resolved configuration."""
    return read_config(
        {
            "name": config.name,
            "model_name": config.model.name,
            "scale": plain(config.scale),
            "q_source": q_source,
            "identity": identity(config),
        }
    )


@dataclass(slots=True)
class _File:
    """config.yaml as it is laid out."""

    name: str
    model_name: str
    scale: ScaleConfig
    q_source: str
    identity: _Identity


@dataclass(slots=True)
class _Identity:
    seed: int
    model: Plain
    prune: Plain
    data: Plain
    train: TrainConfig
    init: str | None = None
    teacher: _Teacher | None = None


@dataclass(slots=True)
class _Teacher:
    weights: str
    distil: float
    temperature: float


def read_config(values: Any) -> Recorded:
    """Returns the record in the values of config.yaml; ValueError names a key of the wrong type."""
    file = typed(_File, values)
    own = file.identity
    method = METHODS.get(own.prune.get("method", ""))
    if method is None:
        raise ValueError(f"identity.prune.method is {own.prune.get('method')!r}, not one of {', '.join(METHODS)}")
    return Recorded(
        name=file.name,
        scale=file.scale,
        q_source=file.q_source,
        seed=own.seed,
        model=read_model(own.model, file.model_name),
        prune=typed(method, own.prune, "identity.prune"),
        data=own.data,
        train=own.train,
        values=values,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DevScores:
    """Of the dev split at one epoch: CTC loss in nats averaged over utterances, error rates as fractions."""

    loss: float
    cer: float
    wer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Parameters of a layer: all, those that can be pruned, those that are not zero; sparsity = zeros / all."""

    parameters: int
    prunable: int
    nonzero: int
    sparsity: float


def in_order(values: int | str | Sequence[int | str]) -> str:
    """Returns one value, or several in their order, in words.

    >>> in_order([2, 1]), in_order("float32")
    ('2, then 1', 'float32')
    """
    return ", then ".join(map(str, [values] if isinstance(values, int | str) else values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The numbers of a finished run and their origin: fractions and seconds."""

    best_epoch: int
    dev: DevScores  # of the best epoch
    test: Scores  # of the best epoch's weights
    parameters: int
    prunable: int
    nonzero: int
    sparsity: float
    sparsity_recurrent: float
    layers: dict[str, Counts]
    q_of_weights: dict[str, float] | None  # by layer type: the 90th percentile of |w|; None of pruned weights
    q: dict[str, float] | None  # by layer type; None where it was calibrated, or there is none
    q_source: str | None
    threshold: dict[str, float]  # by layer type, the last one
    seed: int
    steps: int
    train_seconds: float
    seconds_per_step: float
    device: str
    threads: int
    processes: int | list[int]  # several where it went on with another number of them, in order
    versions: dict[str, str]
    commit: str | None
    command: str
    # the type of products by which it trained; several where another machine went on; None of runs before it was kept
    precision: str | list[str] | None = None
    digest: str | None = None  # of the run; None in results of older versions

    @property
    def on_cpu(self) -> bool:
        """Whether a CPU trained it."""
        return self.device.endswith("CPU")

    @property
    def core_hours(self) -> float:
        """Hours of training times the threads of all processes; where their number changed, of the most."""
        processes = self.processes if isinstance(self.processes, int) else max(self.processes)
        return self.train_seconds / 3600 * self.threads * processes

    def processes_in_words(self) -> str:
        """Returns the number of processes that trained it, in words."""
        return in_order(self.processes)


def read_result(values: Any) -> Result:
    """Returns the result in the values of result.json; ValueError names a key of the wrong type."""
    return typed(Result, values)
