"""Each stage leaves its result before the next begins, and none can hold up or spoil another."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prune_rnn.device import run as runner
from prune_rnn.device.stage import DRY, Stage, State

FAKES = """
import os, subprocess, sys, time

def good(dry, folder):
    yield {"way": "a|b", "us": 1.23456, "curve": [1, 2], "dry": dry}
    yield {"way": "c", "seen": sorted(each.name for each in folder.iterdir())}

def late(dry, folder):
    yield {"way": "ready"}
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3); open('survived', 'w')"], cwd=folder)
    time.sleep(60)
    yield {"way": "never"}

def broken(dry, folder):
    yield {"way": "before"}
    raise ValueError("the device is on fire")

def wrong(dry, folder):
    yield {"tests": "some", "failed": "test_a; test_b"}

def killed(dry, folder):
    os.kill(os.getpid(), 9)
    yield {}
"""
MACHINE = {"device": "a machine"}


@pytest.fixture(autouse=True)
def _fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "fake_stages.py").write_text(FAKES)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    monkeypatch.setattr(runner, "_PATIENCE", 1)
    yield


def stage(number: int, name: str, seconds: float = 60.0) -> Stage:
    return Stage(number, f"the {name} one", seconds, f"fake_stages:{name}")


def test_one_that_fails_or_is_late_stops_no_other(tmp_path: Path) -> None:
    """The late one is stopped with what it has started; what was ready is kept, and the summary says all of it."""
    said: list[str] = []
    names = ["late", "broken", "wrong", "killed", "good"]
    stages = [stage(number, name, 2.0 if name == "late" else 60.0) for number, name in enumerate(names, 1)]
    assert not runner.run(stages, tmp_path / "out", False, MACHINE, said.append)
    found = [json.loads((tmp_path / f"out/stage{number}.json").read_text()) for number in range(1, 6)]
    assert [each["state"] for each in found] == ["stopped", "failed", "failed", "failed", "passed"]
    assert [len(each["rows"]) for each in found] == [1, 1, 1, 0, 2]
    assert found[0]["reason"] == "1 row(s) were ready; the rest is skipped" and found[0]["seconds"] < 30
    assert found[1]["reason"] == "exit status 1: ValueError: the device is on fire"
    assert found[2]["reason"] == "test_a; test_b" and found[3]["reason"].startswith("exit status -9")
    summary = (tmp_path / "out/summary.md").read_text()
    assert said[-1] == summary and DRY not in summary
    lines = [line for line in summary.splitlines() if line.startswith("| ")][1:]
    assert [line.split("|")[2].strip() for line in lines] == [
        "STOPPED at its budget", "FAILED", "FAILED", "FAILED", "passed",
    ]  # fmt: skip
    assert "the rest is skipped" in lines[0] and "on fire" in lines[1]
    time.sleep(3)
    assert not (tmp_path / "out/survived").exists()


def test_a_stages_files_are_there_before_the_next_begins(tmp_path: Path) -> None:
    said: list[str] = []
    assert runner.run([stage(2, "good"), stage(5, "good")], tmp_path, False, MACHINE, said.append)
    second = json.loads((tmp_path / "stage5.json").read_text())
    assert {"stage2.json", "stage2.md", "stage2.log"} <= set(second["rows"][1]["seen"])
    assert second["rows"][0]["curve"] == [1, 2] and second["machine"] == MACHINE
    page = (tmp_path / "stage5.md").read_text()
    assert "| a/b   | 1.235 | False |" in page and "curve" not in page and page in "".join(said)
    assert not list(tmp_path.glob("*.rows"))


def test_a_dry_run_is_marked_in_every_file(tmp_path: Path) -> None:
    said: list[str] = []
    assert runner.run([stage(1, "good")], tmp_path, True, MACHINE, said.append)
    assert {each.name for each in tmp_path.iterdir() if each.is_file()} == {
        "dry-run-stage1.json", "dry-run-stage1.md", "dry-run-stage1.log", "dry-run-summary.md",
    }  # fmt: skip
    assert all(DRY in path.read_text() for path in tmp_path.glob("*.md")) and DRY in said[-1]
    kept = json.loads((tmp_path / "dry-run-stage1.json").read_text())
    assert kept["dry_run"] is True and kept["rows"][0]["dry"] is True


def test_the_stages_take_eight_minutes_at_most() -> None:
    assert sum(each.seconds for each in runner.STAGES) <= 480
    assert [each.number for each in runner.STAGES] == [1, 2, 3, 4, 5]


SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_cuda.py"


def test_the_script_says_what_is_wrong_with_its_arguments() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--stages", "6"], capture_output=True, text=True)
    assert done.returncode == 2 and "invalid choice: 6" in done.stderr


@pytest.mark.slow
def test_the_dry_run_passes_all_stages(tmp_path: Path) -> None:
    pytest.importorskip("triton")
    command = [sys.executable, SCRIPT, "--dry-run", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = (tmp_path / "dry-run-summary.md").read_text()
    assert done.stdout.rstrip().endswith(summary.rstrip()) and DRY in summary
    lines = [line for line in summary.splitlines() if line.startswith("| ")][1:]
    assert [line.split("|")[2].strip() for line in lines] == [State.passed.value] * 5
    assert [len(json.loads((tmp_path / f"dry-run-stage{n}.json").read_text())["rows"]) > 0 for n in range(1, 6)]
