"""A session goes round through its checkpoint, and refuses one that is not its own."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.data.batch import Batch, Utterance
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.prune.hard import Hard
from prune_rnn.run.store import Run
from prune_rnn.speech.scores import Scores
from prune_rnn.speech.text import encode
from prune_rnn.train.decode import Decoded
from prune_rnn.train.loop import Trainer
from prune_rnn.train.session import Session

CONFIG = compose_config(["model=gru_sparse", "scale=smoke", "model.units=4", "train.epochs=4", "prune=none"])
GROUPS = [[Utterance(Path("a.wav"), 40, "ab")]]


def load(groups: Sequence[Sequence[Utterance]]) -> Iterator[Batch]:
    labels = torch.tensor([encode("ab")])
    for _ in groups:
        yield Batch(torch.ones(1, 161, 40), torch.tensor([40]), labels, torch.tensor([2]), ["ab"])


def session(folder: Path, digest: str = "0123456789") -> Session:
    torch.manual_seed(0)
    model = DeepSpeech2(CONFIG.model)
    prune = Hard(epoch=2.0, prunable_sparsity=0.5, layers=CONFIG.model.prunable)  # in the second epoch's only step
    masker = prune.masker(prune.weights(model), 1)
    trainer = Trainer(model, masker, CONFIG.train, GROUPS, load, seed=0, device=torch.device("cpu"))
    folder.mkdir(exist_ok=True)
    return Session(trainer, Run(folder), digest)


def scores(wrong: int) -> Scores:
    return Decoded(1.0, ["abcdefghij"], ["x" * wrong + "abcdefghij"[wrong:]]).scores()


def test_the_best_epoch_is_one_after_pruning(tmp_path: Path) -> None:
    run = session(tmp_path / "run")
    for wrong in (1, 5, 3, 4):
        list(run.trainer.steps())
        run.end_epoch(scores(wrong))
    assert [row["dev_cer"] for row in run.history] == [0.1, 0.5, 0.3, 0.4]
    assert run.best["epoch"] == 3 and run.best["cer"] == 0.3


def test_it_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    run = session(tmp_path / "run")
    for _ in range(2):
        list(run.trainer.steps())
        run.end_epoch(scores(2))
    other = session(tmp_path / "run")
    other.load_state_dict(other.run.load(paths.CHECKPOINT))
    assert other.history == run.history and other.best["epoch"] == 2 and other.trainer.epoch == 3
    assert (other.processes, other.precisions) == ([1], run.precisions)
    assert all(torch.equal(a, b) for a, b in zip(other.model.parameters(), run.model.parameters(), strict=True))


def test_another_machine_is_added_to_the_lists(tmp_path: Path) -> None:
    run = session(tmp_path / "run")
    state = {**run.state_dict(), "processes": [4], "precisions": ["of another"]}
    run.load_state_dict(state)
    assert run.processes == [4, 1] and run.precisions == ["of another", "float32"]
    again = session(tmp_path / "run")
    again.load_state_dict(run.state_dict())
    assert again.processes == [4, 1] and again.precisions == ["of another", "float32"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": "another"}, "it is of the run another"),
        ({"history": [{}]}, "1 rows of history in epoch 1"),
    ],
)
def test_a_state_that_is_not_its_own_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    run = session(tmp_path / "run")
    with pytest.raises(ValueError, match=message):
        run.load_state_dict({**run.state_dict(), **change})
    assert run.history == []
