"""What is pruned is named exactly."""

import re

import pytest
import torch

from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.prune.select import select

WEIGHTS = ["recurrent.*.input.weight", "recurrent.*.recurrent.weight"]


@pytest.fixture(scope="module")
def model() -> DeepSpeech2:
    config = ModelConfig(name="m", cell=Cells.gru, units=4, baseline_units=4, layers=2, conv_channels=2, lookahead=3)
    with torch.device("meta"):
        return DeepSpeech2(config)


def test_select_gives_each_layer_type_its_parameters(model: DeepSpeech2) -> None:
    found = select(model, {"recurrent": WEIGHTS, "linear": ["linear.weight", "output.weight"]})
    assert {layer_type: sorted(group) for layer_type, group in found.items()} == {
        "recurrent": [f"recurrent.{i}.{part}.weight" for i in (0, 1) for part in ("input", "recurrent")],
        "linear": ["linear.weight", "output.weight"],
    }
    assert found["linear"]["output.weight"] is model.output.weight


def test_select_takes_a_parameter_once_that_two_patterns_of_one_layer_type_name(model: DeepSpeech2) -> None:
    assert list(select(model, {"linear": ["linear.*", "linear.weight"]})["linear"]) == ["linear.weight"]


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ({"linear": ["linear.weight", "liner.weight"]}, "prune.layers.linear: the pattern 'liner.weight' matches no"),
        ({"a": ["LINEAR.weight"]}, "the pattern 'LINEAR.weight' matches no"),  # on every file system
        ({"linear": ["linear.weight"], "recurrent": []}, "prune.layers.recurrent: names no pattern"),
        ({"a": ["linear.*"], "b": ["*.weight"]}, "linear.weight is claimed by both 'a' and 'b'"),
    ],
)
def test_select_refuses(model: DeepSpeech2, patterns: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        select(model, patterns)


def test_an_unmatched_pattern_is_reported_with_the_names_that_exist(model: DeepSpeech2) -> None:
    with pytest.raises(ValueError, match=r"there are: .*recurrent\.1\.input\.weight.*output\.weight"):
        select(model, {"a": ["nothing"]})
