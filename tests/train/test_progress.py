"""Progress without a terminal: plain lines."""

import os
import pty
import sys
import termios
import time

import pytest

from prune_rnn.prune.masker import Masker
from prune_rnn.train import progress as module
from prune_rnn.train.progress import Progress


def test_plain_lines_tell_epoch_step_loss_sparsity_cer(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(20, 0, 2) as progress:
        progress.step(9, 1, 50.0, Masker({}, {}), last=False)  # less than half a minute after the start: not shown
        progress.step(10, 1, 48.25, Masker({}, {}), last=True)
        progress.epoch(1, 0.5)
        progress.step(20, 2, 40.0, Masker({}, {}), last=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/2, step 10/20, loss 48.2, pruned 0 %") and lines[0].endswith(", 0 s left")
    assert lines[1] == "epoch 1/2 done, dev CER 50.0 %" and "dev CER 50.0 %" in lines[2]


def test_silent_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1, 0, 1, silent=True) as progress:
        progress.step(1, 1, 1.0, Masker({}, {}), last=True)
        progress.epoch(1, 0.5)
    assert capsys.readouterr().err == ""


def test_evaluation_shows_where_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LINE_SECONDS", 0.0)
    with Progress(1, 0, 1) as progress:
        progress.evaluation("dev", 3, 10)
    assert capsys.readouterr().err == "decoding dev: batch 3/10\n"


@pytest.mark.parametrize("size", ["0x0", "1x1"])
def test_a_terminal_without_width_breaks_nothing(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BAR_SECONDS", 0.0)
    master, slave = pty.openpty()
    rows, columns = map(int, size.split("x"))
    termios.tcsetwinsize(slave, (rows, columns))
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress(20, 0, 2) as progress:
            progress.step(1, 1, 50.0, Masker({}, {}), last=False)
            progress.evaluation("dev", 1, 2)
            progress.epoch(1, 0.5)
            progress.step(20, 2, 40.0, Masker({}, {}), last=True)
            time.sleep(0.2)
        monkeypatch.undo()
    os.close(master)
