"""q is the 90th percentile of magnitudes, and its estimate is that of the weights' own beginning."""

import pytest
import torch
from torch import nn

from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.prune import q
from prune_rnn.prune.select import select

GRU = {
    "recurrent": ["recurrent.*.input.weight", "recurrent.*.recurrent.weight"],
    "linear": ["linear.weight", "output.weight"],
}
RNN = {"recurrent": [*GRU["recurrent"], "recurrent.*.recurrent_reverse.weight"], "linear": ["linear.weight"]}


def network(cell: Cells, device: str) -> DeepSpeech2:
    torch.manual_seed(0)
    config = ModelConfig(name="m", cell=cell, units=96, baseline_units=96, layers=3, conv_channels=8)
    with torch.device(device):
        return DeepSpeech2(config)


def matrix(outputs: int, inputs: int, **options: str) -> nn.Parameter:
    return nn.Parameter(torch.empty(outputs, inputs, **options))  # type: ignore[arg-type]


def test_measured_is_the_90th_percentile_of_magnitudes_of_each_layer_type() -> None:
    ten, twenty = torch.arange(1.0, 11.0), torch.arange(1.0, 21.0)
    weights = {
        "recurrent": {"a": nn.Parameter(-ten), "b": nn.Parameter(10 + ten)},  # magnitudes 1 to 20
        "linear": {"c": nn.Parameter(torch.where(twenty > 10, -twenty, twenty) / 3)},
    }
    assert q.measured(weights) == {"recurrent": 18, "linear": 6}


def test_measured_has_four_digits() -> None:
    assert q.measured({"a": {"w": nn.Parameter(torch.tensor([1 / 3]))}}) == {"a": 0.3333}


def test_estimated_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """One matrix of 100 inputs: uniform in +-0.1, 90 % below 0.09. With as many weights of 25 inputs, uniform in +-0.2,
    90 % lie below q where (1 + q / 0.2) / 2 = 0.9: 0.16."""
    monkeypatch.setattr(q, "GROWTH", {"grown": 2.0})
    found = q.estimated(
        {
            "one": {"a": matrix(7, 100)},
            "two": {"a": matrix(5, 100), "b": matrix(20, 25)},
            "grown": {"a": matrix(7, 100)},
            "meta": {"a": matrix(7, 100, device="meta")},
        }
    )
    assert found == pytest.approx({"one": 0.09, "two": 0.16, "grown": 0.18, "meta": 0.09}, rel=1e-3)


@pytest.mark.parametrize(("cell", "patterns"), [(Cells.gru, GRU), (Cells.rnn, RNN)], ids=["gru", "rnn"])
def test_estimated_is_the_initial_networks_own_times_growth(cell: Cells, patterns: dict[str, list[str]]) -> None:
    sampled = q.measured(select(network(cell, "cpu"), patterns))
    estimate = q.estimated(select(network(cell, "meta"), patterns))
    assert estimate == pytest.approx({t: value * q.GROWTH[t] for t, value in sampled.items()}, rel=0.02)


@pytest.mark.parametrize("name", ["row_conv.weight", "conv.1.conv.weight"])
def test_estimated_knows_that_a_convolutions_inputs_are_its_taps(name: str) -> None:
    """Both start uniform in +-inputs^-1/2, inputs being all that one output sums over."""
    patterns = {"convolution": [name]}
    sampled = q.measured(select(network(Cells.gru, "cpu"), patterns))
    assert q.estimated(select(network(Cells.gru, "meta"), patterns)) == pytest.approx(sampled, rel=0.02)
