"""The network of a finished run or packed file, as the start or the teacher of another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn.config.config import Config
from prune_rnn.data.base import Data
from prune_rnn.data.batch import Batch, Utterance
from prune_rnn.data.coding import Coding
from prune_rnn.deploy import file
from prune_rnn.deploy.file import PackedConfig
from prune_rnn.deploy.fold import fold
from prune_rnn.engine.quantise import Dtype, Weight
from prune_rnn.model import layers
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig, meta_model
from prune_rnn.printed import pasted
from prune_rnn.run.identity import plain
from prune_rnn.run.record import Recorded
from prune_rnn.run.weights import checkpoint
from prune_rnn.source.content import file_of
from prune_rnn.source.norms import unfold
from prune_rnn.train.distil import Teacher
from prune_rnn.usage import UsageError

_OUTPUT = tuple(f"{layers.OUTPUT}.{part}" for part in ("weight", "bias"))  # a row for each character
_SAMPLE, _LARGEST = 20, 32  # batches, of all lengths, for the statistics of batch norm; utterances of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A trained network on the CPU, in evaluation mode. Its batch norm is folded, as in a packed file.

    key, where: as on the command line.
    """

    key: str
    where: str
    config: Recorded | PackedConfig
    model: DeepSpeech2

    @property
    def named(self) -> str:
        """The override on the command line."""
        return f"{self.key}={self.where}"

    def sample(self, groups: Sequence[Sequence[Utterance]]) -> list[Sequence[Utterance]]:
        """Returns the training batches that `fill` needs."""
        count = min(_SAMPLE, len(groups))
        return [groups[index * len(groups) // count][:_LARGEST] for index in range(count)]

    @property
    def coding(self) -> Coding:
        """The front end and the alphabet of its training."""
        return Coding.of(self.config.data)

    def fill(self, model: DeepSpeech2, alphabet: str, batches: Iterable[Batch], device: torch.device) -> None:
        """Gives a network of the same shape the weights, and its batch norm the statistics of `sample`.

        alphabet: of the network. The output weights of characters that the source lacks stay as they are.
        """
        state, theirs = self.model.state_dict(), self.coding.alphabet
        for name in _OUTPUT:
            value = model.state_dict()[name].cpu().clone()
            for index, character in enumerate(alphabet):
                if character in theirs:
                    value[index] = state[name][theirs.index(character)]
            state[name] = value
        model.load_state_dict(state)
        unfold(model, batches, device)


def check_front_end(source: Source, data: Data) -> None:
    """Raises UsageError unless the source's front end serves the run."""
    theirs = source.coding.front_end
    if not theirs.serves(data.front_end):
        raise UsageError(f"{source.named}: has another front end; give data.front_end={theirs.name}, as it was trained")


def start_of(config: Config) -> Source | None:
    """Returns the network that training starts from; UsageError unless it has the run's shape.

    A method that preserves zeros needs a start that has some.
    """
    if config.init is None:
        return None
    source = load("init", config.init)
    check_front_end(source, config.data)
    check_start(source, config.model)
    if config.prune.starts_sparse:
        prunable = [each for group in config.prune.weights(source.model).values() for each in group.values()]
        if all(bool((each != 0).all()) for each in prunable):
            fix = "name a pruned network, or choose prune=none"
            raise UsageError(f"prune={config.prune.method}: {source.named} has no zeros to keep; {fix}")
    return source


def lasting_zeros(config: Config, source: Source | None) -> dict[str, float]:
    """Returns the share of weights by layer type that are zero in the start and so stay zero; none without a start."""
    if source is None or config.prune.regrows:
        return {}
    groups = config.prune.weights(source.model)
    sizes = {layer_type: sum(p.numel() for p in group.values()) for layer_type, group in groups.items()}
    zeros = {layer_type: sum(int((p == 0).sum()) for p in group.values()) for layer_type, group in groups.items()}
    return {layer_type: zeros[layer_type] / size for layer_type, size in sizes.items()}


def sparser_than_the_goal(config: Config, source: Source | None) -> list[str]:
    """Returns a warning for each layer type with more lasting zeros than the goal of pruning."""
    goal: float | None = getattr(config.prune, "prunable_sparsity", None)
    if source is None or goal is None or config.prune.starts_sparse:
        return []
    return [
        f"{source.named}: of the {layer_type} weights {100 * share:.1f} % are zero and stay zero, more than the goal "
        f"of {100 * goal:.1f} %; give a higher prune.sparsity, or a network that is not pruned"
        for layer_type, share in lasting_zeros(config, source).items()
        if share > goal + 1e-3
    ]


def teacher_of(config: Config, device: torch.device) -> Teacher | None:
    """Returns the teacher on the device; UsageError unless it has the run's alphabet and front end."""
    if config.teacher is None:
        return None
    source = load("teacher", config.teacher)
    check_front_end(source, config.data)
    theirs = source.coding.alphabet
    if theirs != Coding.of(plain(config.data)).alphabet:
        wanted = pasted("data.alphabet", theirs[1:].replace(" ", ""))
        raise UsageError(f"{source.named}: has another alphabet; give {wanted}, as it was trained")
    return Teacher(source.model.to(device), config.distil, config.temperature)


def load(key: str, where: str) -> Source:
    """Returns the network of a run's folder or a packed file; ValueError where it can't be read."""
    file_of(key, where)
    try:
        config: Recorded | PackedConfig
        if Path(where).is_dir():
            config, trained = checkpoint(Path(where))
            matrices, tensors = fold(trained.state_dict(), Dtype.float32)
        else:
            packed = file.read(Path(where))
            config, matrices, tensors = packed.config, packed.matrices, packed.tensors
        return Source(key=key, where=where, config=config, model=_unpacked(config.model, matrices, tensors))
    except (OSError, ValueError) as error:
        raise ValueError(f"{key}: {error}") from None


def _unpacked(config: ModelConfig, matrices: dict[str, Weight], tensors: dict[str, Tensor]) -> DeepSpeech2:
    """Returns the network of a packed file, in evaluation mode; its batch norm has no statistics of its own."""
    model = meta_model(config)
    state: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if found := layers.norm_of(name):
            layer, part = found
            state[name] = {
                "weight": tensors[f"{layer}.gain"],
                "bias": tensors[f"{layer}.shift"],
                "running_mean": torch.zeros(value.shape),
                "running_var": torch.full(value.shape, 1 - torch.nn.BatchNorm1d(1).eps),
            }.get(part, torch.zeros(value.shape, dtype=value.dtype))
        elif matrix := layers.matrix_of(name):
            state[name] = matrices[matrix].float()
        else:
            state[name] = tensors[name]
    model.load_state_dict(state, assign=True)
    return model.eval()


def check_start(source: Source, config: ModelConfig) -> None:
    """Raises UsageError unless the source's network has the configuration's cell, shapes and activation.

    Its output layer may have other characters.
    """
    theirs, ours = plain(source.config.model), plain(config)
    apart = [key for key in ours if key not in ("prunable", "symbols") and theirs.get(key) != ours[key]]
    shapes, wanted = (
        {name: tuple(value.shape) for name, value in model.state_dict().items()}
        for model in (source.model, meta_model(config))
    )
    name = next((name for name in wanted if name not in _OUTPUT and shapes.get(name) != wanted[name]), None)
    if name is None and not apart:
        return
    where = [f"model.{key} is {theirs.get(key)} there and {ours[key]} here" for key in apart]
    where += [] if name is None else [f"{name} has the shape {shapes.get(name)} there and {wanted[name]} here"]
    fix = " ".join(f"model.{key}={theirs.get(key)}" for key in apart)
    raise UsageError(f"{source.named}: {'; '.join(where)}; give {f'{fix}, or ' if fix else ''}another network")
