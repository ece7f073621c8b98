"""The names of layers and parameters are those of the network's own modules."""

import pytest
import torch

from prune_rnn.config.config import compose_config
from prune_rnn.model import layers
from prune_rnn.model.deepspeech2 import DeepSpeech2


@pytest.mark.parametrize("model", ["rnn_sparse", "gru_sparse", "lstm_sparse"])
@pytest.mark.parametrize("both_ways", [False, True], ids=["forward", "both ways"])
def test_names_are_the_networks(model: str, both_ways: bool) -> None:
    """Every parameter is a matrix's, a convolution's, a norm's or the output's bias; what can be pruned has a name."""
    config = compose_config([f"model={model}", "scale=smoke", f"model.bidirectional={both_ways}"]).model
    with torch.device("meta"):
        names = [name for name, _ in DeepSpeech2(config).named_parameters()]
    parts = [layers.INPUT, layers.FORWARD, *([layers.REVERSE] if both_ways else [])]
    matrices = [layers.matrix(i, part) for i in range(config.layers) for part in parts]
    matrices += [layers.LINEAR, layers.OUTPUT]
    assert sorted(found for name in names if (found := layers.matrix_of(name))) == sorted(matrices)
    convolutions = [layers.conv(0), layers.conv(1), *([layers.ROW_CONV] if not both_ways else [])]
    norms = {found[0] for name in names if (found := layers.norm_of(name))}
    assert norms == {*convolutions, *(layers.recurrent(i) for i in range(config.layers)), layers.LINEAR}
    others = {name for name in names if layers.matrix_of(name) is None and layers.norm_of(name) is None}
    assert others == {*map(layers.weight, convolutions), f"{layers.OUTPUT}.bias"}
    recurrent = {layers.weight(f"{layers.RECURRENT}.*.{part}") for part in parts}
    prunable = {pattern for patterns in config.prunable.values() for pattern in patterns}
    assert recurrent <= prunable <= recurrent | {layers.weight(layers.LINEAR), layers.weight(layers.OUTPUT)}
