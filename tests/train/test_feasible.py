"""What can't be trained stops before any allocation; what was perhaps not meant is a warning."""

from pathlib import Path

import pytest
import torch

from prune_rnn.config.config import compose_config
from prune_rnn.data.batch import Utterance
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.train.experiment import experiment
from prune_rnn.train.feasible import check_batches, check_memory, far_off, warnings
from prune_rnn.usage import UsageError


def test_parameters_that_do_not_fit_into_memory_are_reported() -> None:
    check_memory(compose_config(["model=gru_dense"]), torch.device("cpu"))
    with pytest.raises(UsageError, match=r"model\.units=100000: training 160,[\d,]+ parameters takes 1,921 GB"):
        check_memory(compose_config(["model=gru_dense", "model.units=100000"]), torch.device("cpu"))


def test_one_output_frame_alone_in_a_batch_is_refused_by_name() -> None:
    model = meta_model(compose_config([]).model)
    short, long = Utterance(Path("short.wav"), 2, "a"), Utterance(Path("long.wav"), 3, "a")
    check_batches([[short, short], [long]], model, world=1, size=2)
    with pytest.raises(ValueError, match=r"short\.wav: alone in its batch.* another train\.batch_size than 2"):
        check_batches([[long, long], [short]], model, world=1, size=2)
    with pytest.raises(ValueError, match=r"short\.wav: alone in its batch"):
        check_batches([[short, long]], model, world=2, size=2)


def test_what_was_perhaps_not_meant_is_warned_of() -> None:
    one = Utterance(Path("a.wav"), 9, "a")
    found = warnings(compose_config(["model=gru_sparse", "prune=none", "train.batch_size=3"]), [[one, one]])
    assert len(found) == 2 and "train.batch_size=3: there are 2 utterances" in found[0]
    assert "model=gru_sparse prune=none: nothing is pruned, and the run is stored as gru_sparse" in found[1]
    assert not warnings(compose_config(["model=gru_sparse", "train.batch_size=2"]), [[one, one]])
    assert not warnings(compose_config(["train.batch_size=2"]), [[one, one]])


def test_a_run_tells_its_warnings(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    experiment(compose_config([*tiny, "train.epochs=1", "train.batch_size=99"]), "")
    assert "warning: train.batch_size=99: there are 24 utterances to train on" in capsys.readouterr().err


def test_a_magnitude_that_prunes_next_to_nothing_or_all_is_warned_of() -> None:
    weights = {"recurrent": {"a": torch.linspace(-1, 1, 201), "b": torch.full((200,), 0.5)}}
    (warning,) = far_off({"recurrent": 0.001}, weights, trained=False)
    assert warning.startswith("prune.q=0.001: of the recurrent weights 0.25 % lie below it as training begins")
    assert not far_off({"recurrent": 0.6}, weights, trained=False)
    assert not far_off({"recurrent": 10.0}, weights, trained=False)  # as q of trained weights may be
    (warning,) = far_off({"recurrent": 10.1}, weights, trained=False)
    assert "prune.q=10.1: of the recurrent weights the largest is 1 as training begins, so all may be pruned" in warning
    cases = ((0, "0 % are pruned; give more"), (90, ""), (1998, ""), (2000, "1 of 2,001 are left; give less"))
    for zeros, message in cases:
        pruned = {"recurrent": {"a": torch.arange(2001) >= zeros}}
        found = far_off({"recurrent": 0.1}, pruned, trained=True)
        assert [f"prune.q=0.1: of the recurrent weights {message}" in one for one in found] == [True] * bool(message)
    assert not far_off(None, weights, trained=True)


def test_a_run_that_its_q_leaves_unpruned_says_so(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before it is trained, and once it is."""
    config = compose_config([*tiny, "model=gru_sparse", "prune.q={recurrent: 1e-9, linear: 0.1}"])
    experiment(config, "")
    shown = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: prune.q=1e-09")]
    assert len(shown) == 2 and "as training begins" in shown[0]
    assert "of the recurrent weights 0 % are pruned" in shown[1]
