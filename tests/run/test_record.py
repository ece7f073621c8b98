"""What a run keeps comes back as it was, and what does not fit is named by its key."""

import copy
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from prune_rnn.config.config import compose_config
from prune_rnn.run.identity import digest, digest_of
from prune_rnn.run.record import read_config, read_result, recorded
from prune_rnn.run.resolve import resolve
from prune_rnn.train.recipe import Precision


@pytest.mark.parametrize("words", ["model=gru_dense", "model=rnn_sparse seed=2", "model=gru_sparse prune=hard"])
def test_a_configuration_comes_back_as_it_was(words: str) -> None:
    config, source = resolve(compose_config(words.split()))
    kept = recorded(config, source)
    back = read_config(copy.deepcopy(kept.values))
    assert back == kept and digest_of(back.identity) == digest(config)
    train = replace(config.train, precision=Precision[config.train.precision.identity])
    assert (back.model.units, back.model.cell, back.prune, back.train) == (
        config.model.units, config.model.cell, config.prune, train,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["identity", "prune", "method"], "magic", "identity.prune.method is 'magic', not one of none, gradual"),
        (["identity", "model", "units"], "many", "identity.model.units is 'many', not a whole number"),
        (["identity", "model", "cell"], "elman", "identity.model.cell is 'elman', not one of rnn, gru, lstm"),
        (["identity", "model", "cell"], [1], "identity.model.cell is [1], not one of rnn, gru, lstm"),
        (["identity", "model", "prunable"], 1, "identity.model.prunable is 1, not a group of keys"),
        (["identity", "train", "speed"], 1, "identity.train.speed is not a known key"),
        (["scale"], None, "scale is None, not a group of keys"),
    ],
)
def test_what_does_not_fit_is_named(path: list[str], value: object, message: str) -> None:
    plain = copy.deepcopy(recorded(compose_config([]), "").values)
    *parents, last = path
    place = plain
    for key in parents:
        place = place[key]
    place[last] = value
    with pytest.raises(ValueError) as caught:
        read_config(plain)
    assert message in str(caught.value)


def test_a_result_comes_back_as_it_was_and_a_missing_key_is_named(result_of: Callable) -> None:
    result = result_of(steps=3)
    assert read_result(asdict(result)) == result and result.steps == 3
    plain = asdict(result)
    del plain["test"]["cer"]["rate"]
    with pytest.raises(ValueError, match=r"test\.cer\.rate is missing"):
        read_result(plain)
