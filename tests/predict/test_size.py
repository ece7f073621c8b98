"""Sizes are those of packed files."""

import pytest
import torch

from prune_rnn.config.config import compose_config
from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.predict.size import packed_bytes
from prune_rnn.prune.select import select
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve
from prune_rnn.speech.features import BINS


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.93, 0.99])
@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("name", ["gru_sparse", "rnn_sparse"])
def test_size_is_that_of_the_packed_file(name: str, dtype: Dtype, sparsity: float) -> None:
    config, source = resolve(compose_config([f"model={name}"]))
    torch.manual_seed(0)
    model = DeepSpeech2(config.model)
    pruned = {name: p for group in select(model, config.model.prunable).values() for name, p in group.items()}
    for weight in pruned.values():
        weight.data *= torch.rand(weight.shape) >= sparsity
    features = torch.zeros(BINS), torch.ones(BINS)
    made = len(to_bytes(pack(model.state_dict(), recorded(config, source), dtype, *features)))
    assert packed_bytes(config.model, pruned, sparsity, dtype) == pytest.approx(made, rel=0.03)
