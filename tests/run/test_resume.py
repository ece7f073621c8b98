"""A run goes on from the newest checkpoint that is whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.store import Run
from prune_rnn.train.experiment import experiment
from prune_rnn.train.loop import Trainer


@pytest.fixture
def begun(tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Callable[[], Run]]:
    """A run cut off in its third epoch, with two checkpoints, and what trains it on."""
    config = compose_config([*tiny, "train.epochs=3"])
    step = Trainer.one_step

    def cut(self: Trainer, *arguments: object) -> float:
        if self.step == 14:
            raise OSError("cut off")
        return step(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "one_step", cut)
        with pytest.raises(OSError, match="cut off"):
            experiment(config, "")
    return run_of(resolve(config)[0]), lambda: experiment(config, "")


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    begun: tuple[Run, Callable[[], Run]],
    flipped: Callable[[bytes, int], bytes],
    tmp_path: Path,
    tiny: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, train = begun
    path = run.folder / paths.CHECKPOINT
    path.write_bytes(flipped(path.read_bytes(), 40_000))
    train()
    said = capsys.readouterr().err
    assert "checkpoint.pt can't be read (its checksum is not that of its content); going on from the" in said
    assert "resuming from epoch 2, step 6" in said
    unbroken = experiment(compose_config([*tiny, "train.epochs=3", f"results={tmp_path / 'unbroken'}"]), "")
    assert run.result().test == unbroken.result().test and not run.begun


def test_a_checkpoint_of_something_else_is_one_error_with_the_way_out(begun: tuple[Run, Callable[[], Run]]) -> None:
    run, train = begun
    (run.folder / paths.BEFORE).unlink()
    for state in ({}, {"trainer": {}}, {"trainer": {"model": {"x": torch.zeros(1)}}, "history": [], "best": {}}):
        run.save(paths.CHECKPOINT, state)
        (run.folder / paths.BEFORE).unlink()
        with pytest.raises(ValueError, match=r"checkpoint\.pt does not hold .*; delete checkpoint\.pt there") as caught:
            train()
        assert "\n" not in str(caught.value)


def test_two_damaged_checkpoints_are_both_named(begun: tuple[Run, Callable[[], Run]]) -> None:
    run, train = begun
    for name in (paths.CHECKPOINT, paths.BEFORE):
        (run.folder / name).write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"delete checkpoint\.pt and checkpoint-before\.pt there to train this run an"):
        train()


@pytest.mark.parametrize("content", [None, "identity: [", "name: x\n"])
def test_a_config_that_is_gone_is_written_anew(
    begun: tuple[Run, Callable[[], Run]], content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    run, train = begun
    path = run.folder / paths.CONFIG
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_text(content)
    train()
    assert "config.yaml was missing or damaged; it is written anew" in capsys.readouterr().err
    assert path.read_bytes() == before
    run.check()


def test_a_state_that_does_not_fit_together_is_refused_before_training_goes_on(
    begun: tuple[Run, Callable[[], Run]],
) -> None:
    run, train = begun
    whole = run.load(paths.CHECKPOINT)
    (run.folder / paths.BEFORE).unlink()
    trainer = whole["trainer"]
    wrong = [
        {**whole, "history": whole["history"][1:]},
        {**whole, "best": {**whole["best"], "model": {}}},
        {**whole, "trainer": {**trainer, "position": {**trainer["position"], "step": 1}}},
    ]
    for state in wrong:
        run.save(paths.CHECKPOINT, state)
        (run.folder / paths.BEFORE).unlink()
        with pytest.raises(ValueError, match=r"checkpoint\.pt does not hold the state of this network \("):
            train()
    run.save(paths.CHECKPOINT, whole)
    (run.folder / paths.CHECKSUMS).write_text("damaged before the run was finished")
    train().check()


def test_the_checkpoint_of_another_seed_is_never_resumed(begun: tuple[Run, Callable[[], Run]], tiny: list[str]) -> None:
    """It has the same shapes."""
    run, _ = begun
    config = compose_config([*tiny, "train.epochs=3", "seed=2"])
    other = run_of(resolve(config)[0])
    other.folder.mkdir()
    for name in (paths.CONFIG, paths.CHECKPOINT, paths.BEFORE):
        (other.folder / name).write_bytes((run.folder / name).read_bytes())
    with pytest.raises(ValueError, match=rf"it is of the run {run.folder.name[-10:]}\)"):
        experiment(config, "")
    assert not other.finished
