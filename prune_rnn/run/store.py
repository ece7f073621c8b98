"""A run's folder: config, history, checkpoint, weights, result. Only this module reads and writes it, atomically.

Every file of a finished run has a checksum, which each read checks.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import yaml

from prune_rnn import files, paths
from prune_rnn.files import write_atomically
from prune_rnn.integrity import listed, sealed
from prune_rnn.run import lock
from prune_rnn.run.identity import digest_of
from prune_rnn.run.record import Recorded, Result, read_config, read_result
from prune_rnn.train import distributed
from prune_rnn.typed import Plain
from prune_rnn.usage import FAULTS
from prune_rnn.values import from_json, from_yaml

_NAMED = re.compile(r"-[0-9a-f]{10}$")  # a folder that a digest names
LISTED = (paths.CONFIG, paths.HISTORY, paths.HYPOTHESES, paths.RESULT)  # in a finished run's checksums


class Run:
    """The folder `<results>/runs/<name>-<digest>`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def again(self) -> str:
        """The fix for a damaged run, in messages."""
        return f"delete {self.folder} and train again"

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return (self.folder / paths.RESULT).exists()

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return any((self.folder / name).exists() for name in (paths.CHECKPOINT, paths.BEFORE))

    @property
    def empty(self) -> bool:
        """Whether there is only a lock: the run has not taken its first step."""
        return [path.name for path in self.folder.glob("*")] == [paths.LOCK]

    def lock(self, wait: float = lock.INSTANT) -> AbstractContextManager[None]:
        """Holds the run for this process, as `lock.hold` does."""
        return lock.hold(self.folder, wait)

    @property
    def held(self) -> bool:
        """Whether a process trains it now."""
        return lock.held(self.folder)

    def config(self) -> Recorded:
        """Returns what `write_config` wrote; ValueError where the file is missing, damaged or of another run."""
        return _config(self.folder / paths.CONFIG, *self._stamps(paths.CONFIG))

    def write_config(self, config: Recorded) -> None:
        """Writes the configuration that determines the result."""
        write_atomically(self.folder / paths.CONFIG, yaml.safe_dump(config.values, sort_keys=False).encode())

    def write_history(self, rows: list[Plain]) -> None:
        """Writes one row per epoch, one column per key."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.folder / paths.HISTORY, text.getvalue().encode())

    def write_hypotheses(self, references: list[str], hypotheses: list[str], speakers: list[str | None]) -> None:
        """Writes a JSON object per test utterance: reference, hypothesis, and speaker (null: not known)."""
        entries = zip(references, hypotheses, speakers, strict=True)
        lines = [json.dumps({"reference": r, "hypothesis": h, "speaker": s}) + "\n" for r, h, s in entries]
        write_atomically(self.folder / paths.HYPOTHESES, "".join(lines).encode())

    def result(self) -> Result:
        """Returns the result of a finished run; ValueError where the file is damaged or of another run."""
        return _result(self.folder / paths.RESULT, *self._stamps(paths.RESULT))

    def check_name(self, config: Recorded) -> None:
        """Raises ValueError where the configuration names another folder than the run's."""
        name, wanted = self.folder.absolute().name, f"{config.name}-{digest_of(config.identity)}"
        if name != wanted:
            # the configuration of an unfinished run, which has no checksums, may itself have been changed
            renamed = self.finished or not _NAMED.search(name)
            fix = f"rename it to {wanted}, or delete it" if renamed else self.again
            raise ValueError(f"{self.folder / paths.CONFIG} is that of {wanted}, and the folder is {name}; {fix}")

    def text(self, name: str) -> str:
        """Returns one of the run's text files; of a finished run, checked by its checksum.

        OSError where the file is missing, ValueError where it was changed.
        """
        content = files.read(self.folder / name, _most(name))
        if self.finished and self.checksums().get(name) != listed.digest(content):
            raise ValueError(f"its checksum is not that in {paths.CHECKSUMS}")
        return content.decode()

    def checksums(self) -> dict[str, str]:
        """Returns the checksums of a finished run's text files; ValueError where they are missing or damaged."""
        try:
            return listed.read(self.folder / paths.CHECKSUMS, paths.CONFIG, paths.RESULT)
        except ValueError as error:
            raise ValueError(f"{error}; {self.again}") from None

    def check(self) -> None:
        """Raises ValueError that names the file where one of the text files is missing or damaged."""
        self.config()
        if self.finished:
            self.result()
            for name in (paths.HISTORY, paths.HYPOTHESES):
                _check(self.folder / name, *self._stamps(name))

    def _stamps(self, name: str) -> tuple[int, ...]:
        """Returns the stamps of all files that a read of this one depends on: the key of a cache."""
        read = (name, paths.CHECKSUMS, paths.RESULT, paths.CHECKPOINT)
        return tuple(number for each in read for number in listed.stamp(self.folder / each))

    def finish(self, result: Result) -> None:
        """Writes the checksums and the result, then removes the checkpoints."""
        content = (json.dumps(asdict(result), indent=2) + "\n").encode()
        there = [name for name in LISTED if name != paths.RESULT and (self.folder / name).exists()]
        digests = {name: listed.digest(files.read(self.folder / name, _most(name))) for name in there}
        listed.write(self.folder / paths.CHECKSUMS, digests | {paths.RESULT: listed.digest(content)})
        write_atomically(self.folder / paths.RESULT, content)
        for name in (paths.CHECKPOINT, paths.BEFORE):
            (self.folder / name).unlink(missing_ok=True)

    def save(self, name: str, state: Plain) -> None:
        """Writes tensors and plain values to CHECKPOINT, whose old file becomes BEFORE, or MODEL."""
        import torch

        buffer = io.BytesIO()
        torch.save(state, buffer)
        sealed.seal_archive(buffer)
        before = self.folder / paths.BEFORE if name == paths.CHECKPOINT else None
        write_atomically(self.folder / name, buffer.getbuffer(), before)

    def load(self, name: str) -> Plain:
        """Returns the state that `save` wrote, on the CPU, without running code from it; ValueError where damaged."""
        import torch

        path = self.folder / name
        try:
            content = files.read(path, files.TENSORS)
            sealed.check_archive(content)
            state: Plain = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except FileNotFoundError:
            fix = f"train the run again with another results=..., or delete {self.folder}"
            if packed := paths.packed(self.folder):
                fix = f"the run has its packed file alone, {packed[0]}"
            raise ValueError(f"{path} is missing; {fix}") from None
        except Exception as error:  # torch.load raises any error of its unpickler or zip reader
            reason = str(error).partition("\n")[0].partition(". ")[0]
            fix = self.again if self.finished else "delete it to train this run anew"
            raise ValueError(f"{path} can't be read ({reason}); {fix}") from None
        return state


def _most(name: str) -> int:
    """Returns the greatest size of a text file, in bytes."""
    return files.VALUES if name in (paths.CONFIG, paths.RESULT) else files.LINES


@cache
def _config(path: Path, *stamps: int) -> Recorded:
    run = Run(path.parent)
    if run.finished:
        run.checksums()  # first: damaged checksums are no damage of this file
    try:
        config = read_config(from_yaml(run.text(path.name)))
    except (OSError, ValueError) as error:
        fix = "continue that run by its command: it writes the file anew"
        fix = fix if run.begun and not run.finished else run.again
        raise ValueError(f"{path} is missing or damaged ({error}); {fix}") from None
    if _NAMED.search(path.parent.absolute().name):
        run.check_name(config)
    return config


@cache
def _result(path: Path, *stamps: int) -> Result:
    run = Run(path.parent)
    run.checksums()
    try:
        result = read_result(from_json(run.text(path.name)))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); {run.again}") from None
    if result.digest is not None and (own := digest_of(run.config().identity)) != result.digest:
        raise ValueError(f"{path} is that of run {result.digest}, and {paths.CONFIG} of {own}; {run.again}")
    return result


@cache
def _check(path: Path, *stamps: int) -> None:
    """Raises ValueError where a file was changed, or is listed and missing."""
    run = Run(path.parent)
    try:
        if path.exists():
            run.text(path.name)
        elif path.name in run.checksums():
            raise ValueError("it is missing")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); {run.again}") from None


def run_folders(results: Path) -> list[Run]:
    """Returns each folder below `results`/runs as a run, by name, whatever it contains."""
    return [Run(path) for path in sorted(paths.runs(results).glob("*")) if path.is_dir()]


def all_runs(results: Path) -> list[Run]:
    """Returns the runs of a results folder, finished or begun, by name; warns once of each damaged one."""
    there = [run for run in run_folders(results) if (run.folder / paths.CONFIG).exists() or run.finished or run.begun]
    return [run for run in there if usable(run, run.check)]


def usable(run: Run, check: Callable[[], object]) -> bool:
    """Whether a check of a run finds no damage; a warning on the error stream names its folder once."""
    try:
        check()
    except FAULTS as error:
        where = "" if f"{run.folder}" in str(error) else f"{run.folder}: "
        _warn(f"prune-rnn: going on without a damaged run: {where}{error}")
        return False
    return True


@cache
def _warn(text: str) -> None:
    """Prints a line to the error stream, from one process only, and no line twice."""
    if distributed.rank() == 0:
        print(text, file=sys.stderr, flush=True)
