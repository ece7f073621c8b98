"""Checks before a training: whether it can succeed, and warnings of probable mistakes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from prune_rnn.config.config import Config
from prune_rnn.data.batch import Utterance
from prune_rnn.model.deepspeech2 import DeepSpeech2, meta_model
from prune_rnn.usage import UsageError

_LITTLE, _NEARLY_ALL = 0.01, 0.999  # of a layer type's weights: less or more is probably a mistake
_HUGE = 10  # times the largest weight before training: no q of a trained network is that large
STATE_BYTES = 12  # of each parameter while it is trained: in float32 its value, gradient and momentum


def check_memory(config: Config, device: torch.device) -> None:
    """Raises UsageError where the parameters alone, as they are trained, are more than the device's memory holds."""
    parameters = sum(p.numel() for p in meta_model(config.model).parameters())
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory
    else:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    need = parameters * STATE_BYTES
    if need > memory:
        raise UsageError(
            f"model.units={config.model.units}: training {parameters:,} parameters takes {need / 1e9:,.0f}"
            f" GB, and {device} has {memory / 1e9:,.0f} GB; give less, or a smaller scale"
        )


def check_batches(groups: Sequence[Sequence[Utterance]], model: DeepSpeech2, world: int, size: int) -> None:
    """Raises ValueError where a process's part of a batch is one output frame, which has no variance to normalise by.

    size: what was asked of a batch.
    """
    for group in groups:
        for rank in range(world):
            part = group[rank::world]
            if len(part) == 1 and model.output_frames(part[0].frames) == 1:
                raise ValueError(
                    f"{part[0].audio}: alone in its batch, and gives one output frame, which can't be normalised; "
                    f"leave it out, or give another train.batch_size than {size}"
                )


def warnings(config: Config, groups: Sequence[Sequence[Utterance]]) -> list[str]:
    """Returns warnings of probable mistakes: a batch larger than the data, a sparse model that is not pruned."""
    found = []
    utterances, size = sum(map(len, groups)), config.train.batch_size
    if size > utterances:
        found.append(f"train.batch_size={size}: there are {utterances} utterances to train on, all in one batch")
    if config.model.sparsity is not None and not config.prune.prunes:
        found.append(
            f"model={config.model.name} prune={config.prune.method}: nothing is pruned, and the run is stored as "
            f"{config.name} all the same; name=... gives it another name"
        )
    return found


def far_off(q: Mapping[str, float] | None, weights: Mapping[str, Mapping[str, Tensor]], *, trained: bool) -> list[str]:
    """Returns a warning for each layer type in which q prunes next to nothing or nearly all weights.

    q: by layer type, where a magnitude is the goal. weights: by layer type and name, before or after training.
    Training makes the weights larger, so before it only a huge q is surely too large.
    """
    found = []
    for layer_type, magnitude in (q or {}).items():
        group = weights[layer_type].values()
        pruned = sum(int((w == 0 if trained else w.abs() < magnitude).sum()) for w in group)
        count = sum(weight.numel() for weight in group)
        share = pruned / count
        where = f"prune.q={magnitude:g}: of the {layer_type} weights"
        way = "or prune.q=auto prune.sparsity=0.9"
        if share < _LITTLE:
            when = "are pruned" if trained else "lie below it as training begins, and training makes them larger"
            found.append(f"{where} {100 * share:.2g} % {when}; give more, {way}")
        elif trained and share > _NEARLY_ALL:
            found.append(f"{where} {count - pruned:,} of {count:,} are left; give less, {way}")
        elif not trained and magnitude > _HUGE * (most := max(float(weight.detach().abs().max()) for weight in group)):
            found.append(
                f"{where} the largest is {most:.2g} as training begins, so all may be pruned; give less, {way}"
            )
    return found
