"""Gives folded batch norm its statistics back, those of given speech."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from prune_rnn.data.batch import Batch
from prune_rnn.model.deepspeech2 import DeepSpeech2


class _Sums:
    """The number of frames at the input of one batch norm, their sum and sum of squares, (units,)."""

    def __init__(self) -> None:
        self.count, self.sum, self.squares = 0, torch.zeros(()), torch.zeros(())

    def __call__(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        frames = inputs[0].double()
        self.count += len(frames)
        self.sum = self.sum.to(frames.device) + frames.sum(0)
        self.squares = self.squares.to(frames.device) + (frames**2).sum(0)


@torch.no_grad()
def unfold(model: DeepSpeech2, batches: Iterable[Batch], device: torch.device) -> None:
    """Gives each batch norm the mean and variance of its input on the batches.

    In evaluation the network's outputs stay the same, to rounding: y = x gain + shift becomes gain sqrt(var + eps)
    times the normalised x, plus shift + mean gain. In training, which uses each batch's own statistics, they are close.
    """
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]
    sums = [_Sums() for _ in norms]
    hooks = [norm.register_forward_pre_hook(each) for norm, each in zip(norms, sums, strict=True)]
    for batch in batches:
        model(batch.features.to(device), batch.lengths)
    for norm, each, hook in zip(norms, sums, hooks, strict=True):
        hook.remove()
        assert norm.running_mean is not None and norm.running_var is not None
        mean = each.sum / each.count
        variance = (each.squares / each.count - mean**2).clamp_min(0)
        norm.bias.add_((mean * norm.weight).float())
        norm.weight.mul_((variance + norm.eps).sqrt().float())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
