"""Batches come in their order, read here or by other processes, whose end is one error."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from prune_rnn.data.batch import Batch, Utterance
from prune_rnn.data.loader import load


def test_no_process_is_left_after_an_error(broken_flac: Path, noises: list[Utterance]) -> None:
    with pytest.raises(OSError, match=r"broken\.flac") as error:  # holds the frame in which it was raised
        list(load([noises, [Utterance(broken_flac, 60, "a")]], 2))
    assert error.value and not multiprocessing.active_children()


def ended(code: str, folder: Path) -> tuple[int, bytes]:
    """Returns the exit code and the error stream of Python code that may read() nine batches in two processes."""
    head = """
import sys
from pathlib import Path
from prune_rnn.data.batch import Utterance
from prune_rnn.data.loader import load
read = lambda: load([[Utterance(next(Path(sys.argv[1]).glob("*.wav")), 5, "a")]] * 9, 2)
"""
    done = subprocess.run([sys.executable, "-c", head + code, str(folder)], stderr=subprocess.PIPE, timeout=100)
    return done.returncode, done.stderr


def test_a_process_ends_in_the_middle_of_its_batches(tmp_path: Path, noises: list[Utterance]) -> None:
    assert ended("found = read(); next(found); sys.exit(3)", tmp_path) == (3, b"")


def test_a_killed_process_may_have_held_a_lock(tmp_path: Path, noises: list[Utterance]) -> None:
    """The lock of the event by which torch tells its processes to end."""
    code = """
import multiprocessing
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter as Iterator
def locked(self):
    self._workers_done_event._cond.acquire(False)
    multiprocessing.active_children()[0].kill()
    return get_data(self)
get_data, Iterator._get_data = Iterator._get_data, locked
try:
    list(read())
except RuntimeError:
    sys.exit(4 if multiprocessing.active_children() else 3)
"""
    assert ended(code, tmp_path) == (3, b"")


def test_a_process_reports_no_connection_that_breaks_off(tmp_path: Path, noises: list[Utterance]) -> None:
    """As when the training process stops in the middle of a batch, because another process was killed."""
    code = """
import os, socket, time
from multiprocessing import resource_sharer
from prune_rnn.data import loader
def broken(*given, collate=loader.collate, **named):
    own = resource_sharer.DupFd(os.open(os.devnull, os.O_RDONLY))
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(resource_sharer._resource_sharer._address)
    time.sleep(0.3)
    return collate(*given, **named)
loader.collate = broken
sys.exit(len(list(read())))
"""
    assert ended(code, tmp_path) == (9, b"")


def test_a_broken_recording_is_one_line_also_from_a_worker(tmp_path: Path, broken_flac: Path) -> None:
    for workers in (0, 1):
        with pytest.raises(OSError, match=r"broken\.flac can't be decoded .*; fix it, or leave it out$") as error:
            list(load([[Utterance(broken_flac, 60, "a")]], workers))
        assert "\n" not in str(error.value)


def test_load_gives_a_batch_for_each_group_in_order(noises: list[Utterance]) -> None:
    one, two, three = noises
    found = list(load([[three], (one, two)]))
    assert [batch.transcripts for batch in found] == [["z"], ["ab", "a cat's"]]
    assert [batch.lengths.tolist() for batch in found] == [[3], [5, 11]]
    assert all(isinstance(batch, Batch) for batch in found)
    assert list(load([])) == []


def test_workers_leave_signals_to_the_process_that_trains(noises: list[Utterance]) -> None:
    """A terminal's Ctrl-C, and the end of a cluster's job, reach all of them."""
    found = load([[one] for one in noises] * 4, workers=2)
    next(found)
    for worker in multiprocessing.active_children():
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker.pid or 0, number)
    assert len(list(found)) == 11
    found = load([[one] for one in noises] * 40, workers=1)
    next(found)
    multiprocessing.active_children()[0].kill()
    time.sleep(0.2)  # nothing is raised here
    with pytest.raises(
        RuntimeError, match=r"processes that read audio has ended \(.*give fewer by train\.load_workers$"
    ):
        list(found)


def test_load_by_workers_gives_the_same(noises: list[Utterance]) -> None:
    one, two, three = noises
    groups = [[three], [one, two], [two], [one]]
    for own, theirs in zip(load(groups), load(groups, workers=2), strict=True):
        assert own.transcripts == theirs.transcripts
        assert torch.equal(own.features, theirs.features)
