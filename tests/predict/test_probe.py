"""What is timed is what it says; no test hangs on a time."""

from prune_rnn.config.config import compose_config
from prune_rnn.predict.probe import SpeedUp, step_cost
from prune_rnn.run.resolve import resolve


def test_a_step_of_the_whole_batch(tiny: list[str]) -> None:
    config, _ = resolve(compose_config(["model=gru_dense", *tiny]))
    cost = step_cost(config, 2, 0.0)
    assert cost.seconds > 0 and cost.steps == 3 and cost.utterances == config.train.batch_size


def test_a_speed_up_is_a_ratio() -> None:
    assert SpeedUp(dense=0.6, dense_name="a", sparse=0.2, sparse_name="b").times == 0.6 / 0.2
