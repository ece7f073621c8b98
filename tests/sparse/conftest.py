"""A small trained-looking network: random weights, pruned, with batch norm that has seen data."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from prune_rnn.config import compose_config, dumped
from prune_rnn.model.deepspeech2 import DeepSpeech2

Made = tuple[DeepSpeech2, dict[str, Any]]


@pytest.fixture
def network() -> Callable[[str], Made]:
    """Makes (the network in evaluation mode, what a run keeps of its configuration) of a shipped model's name."""

    def make(name: str) -> Made:
        config = compose_config([f"model={name}", "scale=smoke", "model.units=24", "model.lookahead=7"])
        torch.manual_seed(0)
        model = DeepSpeech2(config.model)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 2:
                    parameter *= torch.rand_like(parameter) < 0.2
        for _ in range(3):  # in training mode: running means and variances that are neither 0 nor 1
            model(torch.randn(2, 161, 80), torch.tensor([80, 80]))
        kept = dumped(config, "")
        kept["identity"]["model"]["units"] = 24
        return model.eval(), kept

    return make
