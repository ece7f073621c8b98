"""A masker owns what it is given, keeps it at zero, and survives a checkpoint; what it is given is named exactly."""

import re

import pytest
import torch
from torch import nn

from prune_rnn.model.cells import Cells
from prune_rnn.model.deepspeech2 import DeepSpeech2, ModelConfig
from prune_rnn.prune.masker import Masker, select

WEIGHTS = ["recurrent.*.input.weight", "recurrent.*.recurrent.weight"]


@pytest.fixture(scope="module")
def model() -> DeepSpeech2:
    config = ModelConfig(name="m", cell=Cells.gru, units=4, baseline_units=4, layers=2, conv_channels=2, lookahead=3)
    with torch.device("meta"):
        return DeepSpeech2(config)


class Scripted(Masker):
    """At step 2, keeps what is not negative."""

    def done(self, step: int) -> bool:
        return step >= 2

    def _update(self, step: int) -> None:
        if step == 2:
            self.masks = {name: p >= 0 for name, p in self.parameters.items()}
            self.thresholds = dict.fromkeys(self.thresholds, 0.5)


def scripted() -> Scripted:
    a, b, c = (nn.Parameter(torch.tensor(v)) for v in ([1.0, -1.0], [-2.0, -3.0, 4.0, 5.0], [[6.0], [7.0]]))
    return Scripted({"recurrent": {"a": a, "b": b}, "linear": {"c": c}})


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


def test_an_unmatched_pattern_is_told_what_there_is(model: DeepSpeech2) -> None:
    with pytest.raises(ValueError, match=r"there are: .*recurrent\.1\.input\.weight.*output\.weight"):
        select(model, {"a": ["nothing"]})


def test_nothing_is_masked_at_first() -> None:
    masker = scripted()
    masker.after_step(1)
    assert masker.sparsity() == {"recurrent": 0, "linear": 0}
    assert masker.thresholds == {"recurrent": 0, "linear": 0}
    assert masker.parameters["b"].tolist() == [-2, -3, 4, 5]


def test_masked_weights_are_zeroed_after_every_step() -> None:
    masker = scripted()
    masker.after_step(2)
    assert masker.sparsity() == {"recurrent": 0.5, "linear": 0}  # 3 of 6
    for step in (3, 4):
        with torch.no_grad():
            for parameter in masker.parameters.values():
                parameter.add_(10)
        masker.after_step(step)
        masker.check()
        assert masker.parameters["a"].tolist()[1] == 0
        assert masker.parameters["b"].tolist()[:2] == [0, 0]
    assert masker.parameters["a"].tolist() == [21, 0]
    assert masker.parameters["c"].tolist() == [[26], [27]]


def test_check_finds_masked_weights_that_are_not_zero() -> None:
    masker = scripted()
    masker.check()
    masker.after_step(2)
    masker.check()
    with torch.no_grad():
        masker.parameters["b"][:2] += 1e-30
    with pytest.raises(AssertionError, match="2 masked weights of b are not zero"):
        masker.check()


def test_check_finds_a_masked_weight_that_is_no_number() -> None:
    masker = scripted()
    masker.after_step(2)
    with torch.no_grad():
        masker.parameters["a"][1] = float("nan")
    with pytest.raises(AssertionError, match="1 masked weights of a"):
        masker.check()


def test_a_saved_state_goes_into_a_fresh_masker(tmp_path) -> None:  # type: ignore[no-untyped-def]
    before, after = scripted(), scripted()
    before.after_step(2)
    torch.save(before.state_dict(), tmp_path / "state")
    after.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert after.sparsity() == before.sparsity()
    assert after.thresholds == {"recurrent": 0.5, "linear": 0.5}
    assert all(torch.equal(after.masks[name], before.masks[name]) for name in before.masks)
    after.after_step(3)
    assert after.parameters["b"].tolist() == [0, 0, 4, 5]
