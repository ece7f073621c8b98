"""What a run leaves on disk is whole, or it is not there."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.run import store
from prune_rnn.run.record import recorded
from prune_rnn.run.store import LISTED, Run, all_runs, write_atomically


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
    run.save(paths.CHECKPOINT, {"x": os.system})
    with pytest.raises(ValueError, match=r"can't be read \(Weights only load failed"):
        run.load(paths.CHECKPOINT)


def test_a_damaged_result_is_named(tmp_path: Path, result_of: Callable, relist: Callable) -> None:
    run = finished(tmp_path / "run", result_of)
    (run.folder / paths.RESULT).write_text('{"steps": 1')
    relist(run)
    with pytest.raises(ValueError, match=r"result\.json is damaged"):
        run.result()


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


def finished(folder: Path, result_of: Callable) -> Run:
    run = Run(folder)
    run.write_config(recorded(compose_config([]), ""))
    run.write_history([{"epoch": 1, "step": 2, "train_loss": 0.5, "dev_loss": 0.5}])
    run.write_hypotheses(["a cat"], ["acat"], [None])
    run.save(paths.MODEL, {"model": {"weights": torch.randn(50), "bias": torch.zeros(3)}})
    run.finish(result_of())
    return run


def test_a_saved_file_with_any_bit_flipped_is_refused(tmp_path: Path, flipped: Callable) -> None:
    run, random = Run(tmp_path), Random(0)
    run.save(paths.MODEL, {"model": {"weights": torch.randn(50), "bias": torch.zeros(3)}, "step": 3})
    path = run.folder / paths.MODEL
    content = path.read_bytes()
    ends = [8 * len(content) - 1 - bit for bit in range(8 * 100)]  # the checksum, and where the archive ends
    for bit in [*ends, *(random.randrange(8 * len(content)) for _ in range(200))]:
        path.write_bytes(flipped(content, bit))
        with pytest.raises(ValueError, match=r"model\.pt can't be read"):
            run.load(paths.MODEL)
    for length in (0, 10, len(content) - 1, len(content) - 71):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"model\.pt can't be read"):
            run.load(paths.MODEL)


def test_a_saved_file_is_one_that_torch_reads(tmp_path: Path) -> None:
    Run(tmp_path).save(paths.MODEL, {"step": 3})
    assert torch.load(tmp_path / paths.MODEL, weights_only=True) == {"step": 3}


def test_where_the_packed_file_alone_is_left_nothing_is_to_be_deleted(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.pt is missing; train the run again .*, or delete"):
        Run(tmp_path).load(paths.MODEL)
    (tmp_path / "model-float32.safetensors").touch()
    with pytest.raises(ValueError, match=r"is missing; the run has its packed file alone, \S+float32\.safetensors$"):
        Run(tmp_path).load(paths.MODEL)


def test_a_saved_file_without_a_checksum_is_damaged(tmp_path: Path) -> None:
    torch.save({"step": 3}, tmp_path / paths.MODEL)
    with pytest.raises(ValueError, match=r"model\.pt can't be read \(it does not end with a checksum\)"):
        Run(tmp_path).load(paths.MODEL)


def test_a_finished_run_with_a_bit_flipped_in_a_text_is_reported_once_and_left_out(
    tmp_path: Path, result_of: Callable, flipped: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    run, other = (finished(tmp_path / "runs" / name, result_of) for name in ("model-0", "model-1"))
    run.check()
    random = Random(0)
    for name in (*LISTED, paths.CHECKSUMS):
        path = run.folder / name
        content = path.read_bytes()
        for _ in range(40):
            path.write_bytes(flipped(content, random.randrange(8 * len(content))))
            with pytest.raises(ValueError, match=rf"{name.replace('.', '[.]')}.* damaged|damaged .*{name}"):
                run.check()
            store._warn.cache_clear()
            assert [found.folder for found in all_runs(tmp_path)] == [other.folder]
            (line,) = capsys.readouterr().err.splitlines()
            assert "going on without a damaged run" in line and str(run.folder) in line
            all_runs(tmp_path)
            assert not capsys.readouterr().err
        path.write_bytes(content)
    assert len(all_runs(tmp_path)) == 2


@pytest.mark.parametrize("name", [paths.CONFIG, paths.RESULT, paths.CHECKSUMS])
def test_a_file_nested_too_deeply_is_damage_of_its_run_alone(
    tmp_path: Path, result_of: Callable, relist: Callable, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run, other = (finished(tmp_path / "runs" / folder, result_of) for folder in ("model-0", "model-1"))
    (run.folder / name).write_text("[" * 100_000)
    if name != paths.CHECKSUMS:
        relist(run)
    store._warn.cache_clear()
    assert [found.folder for found in all_runs(tmp_path)] == [other.folder]
    (line,) = capsys.readouterr().err.splitlines()
    assert str(run.folder) in line and name in line


def test_a_listed_file_that_is_gone_is_damage(tmp_path: Path, result_of: Callable) -> None:
    run = finished(tmp_path / "run", result_of)
    (run.folder / paths.HYPOTHESES).unlink()
    with pytest.raises(ValueError, match=r"hypotheses\.jsonl is damaged \(it is missing\)"):
        run.check()


def test_a_finished_run_without_checksums_is_damaged(tmp_path: Path, result_of: Callable) -> None:
    run = finished(tmp_path / "runs" / "model-0", result_of)
    (run.folder / paths.CHECKSUMS).unlink()
    with pytest.raises(ValueError, match=r"checksums\.json is missing or damaged \(No such file .*\); delete"):
        run.check()


def test_the_way_out_of_a_damaged_model_is_one(tmp_path: Path, result_of: Callable) -> None:
    """Without model.pt alone, `train` would say that the run is finished."""
    run = finished(tmp_path / "run", result_of)
    (run.folder / paths.MODEL).write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"model\.pt can't be read .*; delete \S+/run and train again"):
        run.load(paths.MODEL)


def test_the_checkpoint_before_is_kept(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for step in range(3):
        run.save(paths.CHECKPOINT, {"step": step})
    assert [run.load(name)["step"] for name in (paths.CHECKPOINT, paths.BEFORE)] == [2, 1]


# --- whatever a file may hold ----------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=750, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(bits=st.lists(st.floats(0, 1, exclude_max=True), max_size=5), keep=st.floats(0, 1))
def test_any_damage_to_a_saved_file_is_refused_by_name(
    tmp_path: Path, flipped: Callable, peak: Callable, bits: list[float], keep: float
) -> None:
    run, path = Run(tmp_path), tmp_path / paths.MODEL
    weights = torch.arange(1000.0)
    run.save(paths.MODEL, {"model": {"weights": weights}, "step": 3})
    usual = peak(lambda: run.load(paths.MODEL))
    whole = content = path.read_bytes()
    for place in bits:
        content = flipped(content, int(place * 8 * len(content)))
    path.write_bytes(content := content[: len(content) if bits else int(keep * (len(content) - 1))])

    def work() -> None:
        try:
            state = run.load(paths.MODEL)
        except ValueError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert content == whole
            assert set(state) == {"model", "step"} and torch.equal(state["model"]["weights"], weights)

    assert peak(work) <= 2 * usual + (32 << 20)  # the allocator's whims
