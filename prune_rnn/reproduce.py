"""`prune-rnn reproduce`: trains what the tables have no runs for, several at a time, and packs what was trained."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from prune_rnn import paths
from prune_rnn.analyse.layout import Layout
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


# What a child runs. On Linux it gets SIGUSR1, a request to save and stop, when its parent ends, even by SIGKILL
# (prctl, PR_SET_PDEATHSIG = 1). Where the parent has ended before, it does not begin.
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

    run: that it trains. epochs: of that run, 0 of a command that only packs.
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
        """Starts it, out of reach of the terminal's Ctrl-C: it saves when it is asked to stop, once."""
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  (`end` closes it)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, "prune_rnn", str(os.getpid()), *self.arguments],
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Asks it to save and end."""
        if self.process is not None:
            self.process.terminate()

    def code(self) -> int | None:
        """Returns its exit code; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def done(self) -> int:
        """Returns how many of the epochs are done."""
        if self.run.finished:
            return self.epochs
        path = self.run.folder / paths.HISTORY
        return min(self.epochs, max(0, len(read(path, LINES).splitlines()) - 1)) if path.is_file() else 0

    def end(self) -> str:
        """Returns the last line that it printed on the error stream, once it has ended."""
        assert self.errors is not None
        with self.errors as file:
            file.seek(0)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"


def reproduce(overrides: Sequence[str], tables: Sequence[str], jobs: int, say: Callable[[str], None]) -> bool:
    """Trains all that is missing, seed after seed; returns whether nothing failed.

    What was cut off goes on; what is finished is left as it is. A network that starts from another, or learns from it,
    comes after that one. What fails is reported, and the rest goes on.

    Args:
        overrides: that the runs have in common, as for `prune-rnn report`.
        tables: names or YAML files; none: all tables.
        jobs: trainings at a time.

    Raises:
        KeyboardInterrupt: after all trainings have saved their state.
    """
    layouts = layouts_of(tables)
    check_rows_of(tables, layouts, Library(overrides))
    failed: set[str] = set()
    trained = 0
    while True:
        library = Library(overrides)
        wanted = [*_exports(layouts, library), *_trainings(layouts, library)]
        work = [Job(command) for command in dict.fromkeys(wanted) if command not in failed]
        if not work:
            break
        failed |= _all(work, jobs, say)
        trained += sum(job.epochs > 0 and job.command not in failed for job in work)
    say(f"{trained} trained{f', {len(failed)} failed' if failed else ''}; the tables: prune-rnn report")
    return not failed


def _trainings(layouts: Mapping[str, Layout], library: Library) -> list[str]:
    return [command for command in commands(layouts, library) if shlex.split(command)[1] == "train"]


def _exports(layouts: Mapping[str, Layout], library: Library) -> list[str]:
    """Returns the commands that pack the finished runs of the tables, and those that others start from."""
    rows = [library.row(each) for layout in layouts.values() for each in layout.every()]
    folders = [run.folder for row in rows for run in row.runs]
    others = [shlex.split(command)[1:] for command in commands(layouts, library)]
    folders += [Path(words[1]) for words in others if words[0] == "export"]
    data = library.shared.data  # where the recordings lie, which no run keeps
    further = [word for key in ("dev", "cache") if (path := getattr(data, key, None)) for word in (f"--{key}", path)]
    return [
        shlex.join(["prune-rnn", "export", str(folder), *further])
        for folder in folders
        if (folder / paths.MODEL).is_file() and not (folder / PACKED).is_file()
    ]


def _all(work: Sequence[Job], jobs: int, say: Callable[[str], None]) -> set[str]:
    """Runs the jobs, so many at a time, in order; returns the commands that failed."""
    waiting, failed = list(work), set[str]()
    total, first, started = sum(job.epochs for job in work), sum(job.done() for job in work), time.monotonic()
    shown = started
    with _stopped_at_the_end() as running:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(waiting.pop(0))
                running[-1].start()
                say(f"started: {running[-1].command}")
            time.sleep(_LOOK)
            for job in [job for job in running if job.code() is not None]:
                running.remove(job)
                last = job.end()
                if job.code():
                    failed.add(job.command)
                    say(f"failed: {job.command}: {last}")
            if total and time.monotonic() - shown >= _LINE:
                shown = time.monotonic()
                say(_progress(work, total, first, shown - started))
    return failed


def _progress(work: Sequence[Job], total: int, first: int, seconds: float) -> str:
    """Returns how far all runs are, in one line. first: epochs that were done before."""
    done = sum(job.done() for job in work)
    runs = [job for job in work if job.epochs]
    finished = sum(job.run.finished for job in runs)
    left = time_left(seconds / (done - first) * (total - done)) if done > first else "unknown time"
    return f"{finished} of {len(runs)} runs, {done} of {total} epochs, {left} left"


@contextmanager
def _stopped_at_the_end() -> Iterator[list[Job]]:
    """Yields a list of jobs; those that are still in it at the end are stopped."""
    running: list[Job] = []
    try:
        yield running
    finally:
        for job in running:
            job.stop()
        while any(job.code() is None for job in running):
            time.sleep(_LOOK)
