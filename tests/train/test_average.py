"""The average of weights by hand; zeros stay zero."""

import pytest
import torch

from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.train.average import Average

MODEL = ModelConfig(name="m", cell=Cells.gru, units=4, baseline_units=4, layers=1, conv_channels=1, lookahead=2)


def test_the_average_by_hand() -> None:
    """0.75 of the average stays: 8, then 0.75 * 8 + 0.25 * 4 = 7, then 0.75 * 7 + 0.25 * 3 = 6."""
    model, average = DeepSpeech2(MODEL), Average(0.75)
    assert average.model is None
    for value, wanted in ((8.0, 8.0), (4.0, 7.0), (3.0, 6.0)):
        with torch.no_grad():
            model.output.bias.fill_(value)
            model.linear_norm.norm.running_mean.fill_(value)  # type: ignore[union-attr]
            model.linear.weight.zero_()
        average.update(model)
        found = average.state()
        assert found["output.bias"].tolist() == pytest.approx([wanted] * 29)
        assert found["linear_norm.norm.running_mean"].tolist() == pytest.approx([wanted] * 4)
        assert not found["linear.weight"].any()
    assert model.output.bias[0] == 3
    again = Average(0.75)
    again.restore(model, average.state())
    assert torch.equal(again.state()["output.bias"], average.state()["output.bias"])
