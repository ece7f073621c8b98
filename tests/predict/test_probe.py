"""What is timed is what it says; no test hangs on a time."""

import pytest

from prune_rnn.config.config import compose_config
from prune_rnn.predict import probe
from prune_rnn.predict.amount import Amount
from prune_rnn.predict.probe import SpeedUp, StepCost, step_cost
from prune_rnn.run.resolve import resolve


def cost_of(*words: str, seconds: float = 2.0) -> StepCost:
    return step_cost(resolve(compose_config(["model=gru_dense", *words]))[0], Amount(2, seconds), 0.0)


def test_a_step_of_the_whole_batch(tiny: list[str]) -> None:
    config, _ = resolve(compose_config(["model=gru_dense", *tiny]))
    cost = step_cost(config, Amount(2, 1.0), 0.0)
    assert cost.seconds > 0 and cost.steps == 3 and cost.utterances == config.train.batch_size


def test_memory_grows_with_the_speech_and_holds_the_layers_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 50 output frames a second keeps at least the outputs of the recurrent layers, four bytes a unit."""
    words = ["model.units=48", "scale.conv_channels=2"]
    cost = cost_of(*words, "train.batch_size=2")
    model = compose_config(["model=gru_dense", *words]).model
    assert cost.kept > 50 * model.layers * 48 * 4
    for other in (cost_of(*words, "train.batch_size=4"), cost_of(*words, "train.batch_size=2", seconds=4.0)):
        assert other.kept == pytest.approx(cost.kept, rel=0.05)
    monkeypatch.setattr(probe, "_LARGE", 0)  # timed in part, as a large network is
    part = cost_of(*words, "train.batch_size=6")
    assert part.utterances == 4 and part.kept == pytest.approx(cost.kept, rel=0.1)


def test_a_speed_up_is_a_ratio() -> None:
    assert SpeedUp(dense=0.6, dense_name="a", sparse=0.2, sparse_name="b").times == 0.6 / 0.2
