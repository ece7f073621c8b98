"""What the tables lack is trained, each after what it starts from; a second call trains nothing."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from prune_rnn.reproduce import CHILD, Job, _all, _progress, reproduce
from prune_rnn.run.store import Run, all_runs

TABLE = """
kind: compare
title: Mine
rows:
  - {label: dense, overrides: model=gru_dense}
  - label: retrained
    overrides: model=gru_sparse prune=hard prune.epoch=0 prune.sparsity=0.3
    init: [model=gru_dense]
    baseline: dense
"""


@pytest.fixture
def table(tmp_path: Path) -> str:
    (tmp_path / "mine.yaml").write_text(TABLE)
    return str(tmp_path / "mine.yaml")


@pytest.mark.slow
def test_what_is_missing_is_trained_once_and_in_order(tiny: list[str], table: str, tmp_path: Path) -> None:
    said: list[str] = []
    assert reproduce(tiny, [table], 2, said.append)
    runs = all_runs(tmp_path / "results")
    assert len(runs) == 2 and all((run.folder / "model-float32.safetensors").is_file() for run in runs)
    started = [line.split()[2:4] for line in said if line.startswith("started")]
    assert [verb for verb, _ in started] == ["train", "export", "train", "export"]
    assert (started[0][1], started[2][1]) == ("model=gru_dense", "model=gru_sparse")
    shown = shlex.join(["prune-rnn", "report", "--table", table, *tiny])
    assert said[-1] == f"2 trained; the tables: {shown}"
    before = {file: file.stat().st_mtime_ns for run in runs for file in run.folder.iterdir()}
    assert reproduce(tiny, [table], 2, said.append)
    assert said[-1] == f"0 trained; the tables: {shown}"
    assert before == {file: file.stat().st_mtime_ns for run in runs for file in run.folder.iterdir()}


@pytest.mark.slow
def test_a_failure_is_named_and_the_rest_goes_on(tiny: list[str], tmp_path: Path) -> None:
    rows = ["{overrides: model=gru_dense train.learning_rate=1e30}", "{overrides: model=gru_dense}"]
    (tmp_path / "mine.yaml").write_text("\n".join(["kind: compare", "rows:", *(f"  - {row}" for row in rows)]))
    said: list[str] = []
    assert not reproduce(tiny, [str(tmp_path / "mine.yaml")], 1, said.append)
    assert any(line.startswith("failed: prune-rnn train") and "loss" in line for line in said)
    assert said[-1].startswith("1 trained, 1 failed; the tables: prune-rnn report --table ")


@pytest.mark.skipif(sys.platform != "linux", reason="a matter of Linux")
def test_a_killed_parent_takes_its_trainings_along(tmp_path: Path) -> None:
    script = f"""
import os, signal, subprocess, sys
command = [sys.executable, "-c", {CHILD!r}, "asleep", str(os.getpid())]
child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd={str(tmp_path)!r})
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    (tmp_path / "asleep.py").write_text("import time\nprint('asleep', flush=True)\ntime.sleep(60)\n")
    with Popen([sys.executable, "-c", script], stdout=PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
    for _ in range(100):
        if not _runs(child):
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child goes on")


def _runs(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()  # a zombie has ended
    except OSError:
        return False


def test_the_progress_of_all_runs(fabricate: Callable[..., Run], tmp_path: Path) -> None:
    """One of two runs of 20 epochs is done: 20 epochs in 100 seconds, 20 are left."""
    fabricate("gru_dense")
    results = f"results={tmp_path / 'results'}"
    work = [Job(f"prune-rnn train model={model} {results}") for model in ("gru_dense", "gru_dense_small")]
    assert _progress(work, 40, 0, 100.0) == "1 of 2 runs, 20 of 40 epochs, 100 s left"
    assert _progress(work, 40, 20, 100.0) == "1 of 2 runs, 20 of 40 epochs, unknown time left"
    assert work[0].arguments[-1] == "threads=1"


def test_what_runs_is_stopped_and_saves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(f"prune-rnn export {tmp_path}")
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(75)); print('up', flush=True)"

    def start() -> None:
        job.process = Popen(["python3", "-c", f"{code}; time.sleep(60)"], stdout=PIPE)
        assert job.process.stdout is not None
        with job.process.stdout as out:
            assert out.readline() == b"up\n"
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(job, "start", start)
    with pytest.raises(KeyboardInterrupt):
        _all([job], 1, lambda _: None)
    assert job.code() == 75


def test_a_run_that_was_cut_off_is_said_to_go_on(tmp_path: Path) -> None:
    job = Job(f"prune-rnn train model=gru_dense scale=smoke results={tmp_path}")
    assert not job.goes_on()
    job.run.folder.mkdir(parents=True)
    (job.run.folder / "checkpoint.pt").write_bytes(b"")
    assert job.goes_on()
