"""`prune-rnn reproduce`: trains the missing runs of the tables, several at a time, and packs them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from prune_rnn import paths
from prune_rnn.analyse.layout import Layout, names
from prune_rnn.analyse.rows import Library
from prune_rnn.analyse.sources import PACKED
from prune_rnn.config.config import compose_config
from prune_rnn.files import LINES, read
from prune_rnn.report.report import check_rows_of, commands, layouts_of
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.store import Run
from prune_rnn.train.progress import time_left

_LOOK = 0.2  # seconds between two looks at the processes
_LINE = 30.0  # seconds between two lines of progress

# A child's program. On Linux a child gets SIGUSR1, a request to save and stop, when its parent ends, even by SIGKILL
# (prctl, PR_SET_PDEATHSIG = 1). Where the parent has ended before, the child does not begin.
CHILD = """
import ctypes, os, runpy, signal, sys
module, parent = sys.argv.pop(1), int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGUSR1)
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended")
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


class Job:
    """A command of `prune-rnn` and the process that runs it.

    run: the run that it trains or packs. epochs: the run's, 0 where it packs.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        _, verb, *words = shlex.split(command)
        self.arguments = [verb, *words]
        if verb == "train":
            config = resolve(compose_config(words))[0]
            self.run, self.epochs = run_of(config), config.train.epochs
            if not any(word.startswith("threads=") for word in words):
                self.arguments.append("threads=1")
        else:
            self.run, self.epochs = Run(Path(words[0])), 0
        self.process: subprocess.Popen[bytes] | None = None
        self.errors: IO[bytes] | None = None

    def start(self) -> None:
        """Starts the process, out of reach of the terminal's Ctrl-C: `_all` asks it to save and stop, once."""
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  (`end` closes it)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, "prune_rnn", str(os.getpid()), *self.arguments],
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            start_new_session=True,
        )

    @property
    def key(self) -> tuple[str, Path]:
        """What it does to which run, however the command is written."""
        return self.arguments[0], self.run.folder

    def goes_on(self) -> bool:
        """Whether it trains a run that was cut off."""
        return self.epochs > 0 and self.run.begun

    def code(self) -> int | None:
        """Returns the process's exit code; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def done(self) -> int:
        """Returns the number of epochs that are done."""
        if self.run.finished:
            return self.epochs
        path = self.run.folder / paths.HISTORY
        return min(self.epochs, max(0, len(read(path, LINES).splitlines()) - 1)) if path.is_file() else 0

    def end(self) -> str:
        """Returns the last line of the process's error stream, once the process has ended."""
        assert self.errors is not None
        with self.errors as file:
            file.seek(0)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"


def reproduce(overrides: Sequence[str], tables: Sequence[str], jobs: int, say: Callable[[str], None]) -> bool:
    """Trains all missing runs, seed after seed; returns whether none failed.

    A run that was cut off goes on. A run that starts from another or learns from it comes after it. A failure is
    reported, and the other runs go on.

    Args:
        overrides: in common, as for `prune-rnn report`.
        tables: names or YAML files; none: all tables.
        jobs: trainings at a time.

    Raises:
        KeyboardInterrupt: after all trainings have saved their state.
    """
    layouts = layouts_of(tables)
    check_rows_of(tables or names(), layouts, Library(overrides))
    failed: set[tuple[str, Path]] = set()
    trained = 0
    while True:
        work = [job for job in map(Job, _wanted(layouts, Library(overrides))) if job.key not in failed]
        if not work:
            break
        failed |= _all(work, jobs, say)
        trained += sum(job.epochs > 0 and job.key not in failed for job in work)
    shown = shlex.join(["prune-rnn", "report", *(["--table", ",".join(tables)] if tables else []), *overrides])
    say(f"{trained} trained{f', {len(failed)} failed' if failed else ''}; the tables: {shown}")
    return not failed


def _wanted(layouts: Mapping[str, Layout], library: Library) -> list[str]:
    """Returns the commands that pack finished runs of the tables, then those that train."""
    rows = [library.row(each) for layout in layouts.values() for each in layout.every()]
    folders = [run.folder for row in rows for run in row.runs]
    data = library.shared.data  # has the recordings' folder, which no run records
    further = [word for key in ("dev", "cache") if (path := getattr(data, key, None)) for word in (f"--{key}", path)]
    exports = [
        ["prune-rnn", "export", str(folder), *further]
        for folder in dict.fromkeys(folders)
        if (folder / paths.MODEL).is_file() and not (folder / PACKED).is_file()
    ]
    return [*map(shlex.join, exports), *commands(layouts, library)]


def _all(work: Sequence[Job], jobs: int, say: Callable[[str], None]) -> set[tuple[str, Path]]:
    """Runs the jobs in order, at most `jobs` at a time; returns the keys of those that failed.

    Whatever is raised, jobs that still run are first asked to save and end.
    """
    waiting, failed = list(work), set[tuple[str, Path]]()
    running: list[Job] = []
    total, first, started = sum(job.epochs for job in work), sum(job.done() for job in work), time.monotonic()
    shown = started
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(waiting.pop(0))
                say(f"{'continued' if running[-1].goes_on() else 'started'}: {running[-1].command}")
                running[-1].start()
            time.sleep(_LOOK)
            for job in [job for job in running if job.code() is not None]:
                running.remove(job)
                last = job.end()
                if job.code():
                    failed.add(job.key)
                    say(f"failed: {job.command}: {last}")
            if total and time.monotonic() - shown >= _LINE:
                shown = time.monotonic()
                say(_progress(work, total, first, shown - started))
    finally:
        processes = [job.process for job in running if job.process]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    return failed


def _progress(work: Sequence[Job], total: int, first: int, seconds: float) -> str:
    """Returns one line of progress. total, first: epochs of all jobs, and those done before. seconds: so far."""
    done = sum(job.done() for job in work)
    runs = [job for job in work if job.epochs]
    finished = sum(job.run.finished for job in runs)
    left = time_left(seconds / (done - first) * (total - done)) if done > first else "unknown time"
    return f"{finished} of {len(runs)} runs, {done} of {total} epochs, {left} left"
