"""What a run leaves on disk is whole, or it is not there."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn import paths
from prune_rnn.config import compose_config
from prune_rnn.run.record import recorded
from prune_rnn.run.store import Run, all_runs, write_atomically


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.md"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"table\.md can't be written \(No space left on device\)"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    assert not run.begun
    run.save(paths.CHECKPOINT, {"weights": torch.arange(3), "step": 7})
    state = run.load(paths.CHECKPOINT)
    assert run.begun and state["step"] == 7 and state["weights"].tolist() == [0, 1, 2]


def test_a_damaged_checkpoint_is_named_with_the_way_out(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.save(paths.CHECKPOINT, {"weights": torch.arange(1000)})
    path = run.folder / paths.CHECKPOINT
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"checkpoint\.pt can't be read .*delete it") as caught:
        run.load(paths.CHECKPOINT)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_can_not_run_code(tmp_path: Path) -> None:
    run = Run(tmp_path)
    torch.save({"x": os.system}, tmp_path / paths.CHECKPOINT)
    with pytest.raises(ValueError, match="can't be read"):
        run.load(paths.CHECKPOINT)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    (tmp_path / paths.RESULT).write_text('{"steps": 1')
    with pytest.raises(ValueError, match=r"result\.json is damaged"):
        Run(tmp_path).result()


@pytest.mark.parametrize("content", [None, "", "a: [b", "name: model"])
def test_a_damaged_config_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / paths.CONFIG).write_text(content)
    with pytest.raises(ValueError, match=r"config\.yaml is missing or damaged"):
        Run(tmp_path).config()


def test_finishing_drops_the_checkpoint(tmp_path: Path, result_of: Callable) -> None:
    run = Run(tmp_path / "runs" / "model-0")
    run.save(paths.CHECKPOINT, {})
    assert all_runs(tmp_path) == []
    run.write_config(recorded(compose_config([]), ""))
    run.finish(result_of(steps=3))
    assert run.finished and not run.begun and run.result() == result_of(steps=3)
    assert [found.folder for found in all_runs(tmp_path)] == [run.folder]


def test_a_run_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    run, other = Run(tmp_path / "run"), Run(tmp_path / "run")
    with run.lock(), pytest.raises(ValueError, match="being trained by another process"), other.lock():
        pass
    with other.lock():  # free again
        pass


def test_history_is_a_row_an_epoch(tmp_path: Path) -> None:
    Run(tmp_path).write_history([{"epoch": 1, "dev_cer": 0.5}, {"epoch": 2, "dev_cer": 0.25}])
    assert (tmp_path / paths.HISTORY).read_text() == "epoch,dev_cer\n1,0.5\n2,0.25\n"


def test_hypotheses_stand_beside_what_was_said(tmp_path: Path) -> None:
    Run(tmp_path).write_hypotheses(["a cat", "dog"], ["acat", ""], ["m1", None])
    lines = (tmp_path / paths.HYPOTHESES).read_text().splitlines()
    assert lines == [
        '{"reference": "a cat", "hypothesis": "acat", "speaker": "m1"}',
        '{"reference": "dog", "hypothesis": "", "speaker": null}',
    ]
