"""Removes the files that a killed process left in the folders of runs; the next training does so and reports it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from prune_rnn import paths
from prune_rnn.files import UNFINISHED
from prune_rnn.run.store import Run, run_folders


def left_behind(run: Run) -> list[Path]:
    """Returns the files that nothing needs: half written, a finished run's checkpoints, a lock without a run."""
    files = list(run.folder.glob(f".*{UNFINISHED}"))
    if run.finished:
        files += [path for name in (paths.CHECKPOINT, paths.BEFORE) if (path := run.folder / name).exists()]
    there = [path.name for path in run.folder.iterdir() if path not in files]
    return [*files, run.folder / paths.LOCK] if there == [paths.LOCK] else files


def clean(run: Run, say: Callable[[str], None]) -> None:
    """Removes the left files of one run, unless another process uses its folder."""
    with contextlib.suppress(ValueError, OSError):  # in use, removed by now, or not writable
        if not left_behind(run):
            return
        with run.lock(wait=0):
            for path in left_behind(run):
                if path.name != paths.LOCK:  # a training that fails before its first step also leaves one
                    say(f"removing {path}, left by a process that was cut off")
                path.unlink()
            if not any(run.folder.iterdir()):
                run.folder.rmdir()


def tidy(results: Path, say: Callable[[str], None]) -> None:
    """Cleans all folders of runs."""
    for run in run_folders(results):
        clean(run, say)
