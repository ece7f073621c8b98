"""A moving average of a network's weights."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor

from prune_rnn.model.deepspeech2 import DeepSpeech2


class Average:
    """After each update a = share a + (1 - share) w, from the first w on; the statistics of batch norm likewise.

    A weight that is zero at each update is zero in the average. share: between 0 and 1. model: holds the average; None
    before the first update.

    Source: Polyak and Juditsky 1992; for pruned networks, whose masks have to agree: Zimmer et al. 2023, "Sparse Model
    Soups" (arXiv:2306.16788).
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.model: DeepSpeech2 | None = None

    @torch.no_grad()
    def update(self, model: DeepSpeech2) -> None:
        """Adds the weights after an optimizer step."""
        if self.model is None:
            self.restore(model, model.state_dict())
        own = self.state()
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                own[name].lerp_(value, 1 - self.share)
            else:
                own[name].copy_(value)

    def restore(self, model: DeepSpeech2, state: dict[str, Tensor] | None) -> None:
        """Restores the average that `state` returned, of a network of this shape; None: there was no update yet."""
        self.model = None
        if state is not None:
            self.model = deepcopy(model).requires_grad_(False)
            self.model.load_state_dict(state)

    def state(self) -> dict[str, Tensor]:
        """Returns the average by name."""
        assert self.model is not None
        found: dict[str, Tensor] = self.model.state_dict()
        return found
