"""One run on disk: config, history, checkpoint, weights, result. Read and written only here, and always atomically."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from prune_rnn import paths
from prune_rnn.files import UNFINISHED, write_atomically
from prune_rnn.run.record import Recorded, Result, read_config, read_result
from prune_rnn.typed import Plain


class Run:
    """The folder `<results>/runs/<name>-<digest>`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return (self.folder / paths.RESULT).is_file()

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return (self.folder / paths.CHECKPOINT).is_file()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the run for this process; ValueError where another one holds it. Freed by the system after a kill.

        What a killed process left half written is removed.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / paths.LOCK, timeout=0)
            lock.acquire()
        except Timeout:
            raise ValueError(
                f"{self.folder} is being trained by another process; wait for it, or change the configuration"
            ) from None
        except OSError as error:
            raise OSError(
                f"{self.folder} can't be written ({error.strerror}); give another folder by results=..."
            ) from error
        try:
            for left in self.folder.glob(f".*{UNFINISHED}"):
                left.unlink()
            yield
        finally:
            lock.release()

    @property
    def held(self) -> bool:
        """Whether a process trains it now. To know, the lock is taken for an instant where it is free."""
        if not (self.folder / paths.LOCK).is_file():
            return False
        try:
            with FileLock(self.folder / paths.LOCK, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # another user's folder: it can't be known
            return False

    def config(self) -> Recorded:
        """Returns what `write_config` wrote; ValueError where the file is missing or damaged."""
        return _config(*_stamped(self.folder / paths.CONFIG))

    def write_config(self, config: Recorded) -> None:
        """Writes the configuration that determines the result."""
        write_atomically(self.folder / paths.CONFIG, yaml.safe_dump(config.plain(), sort_keys=False).encode())

    def write_history(self, rows: list[Plain]) -> None:
        """Writes one row per epoch, one column per key."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.folder / paths.HISTORY, text.getvalue().encode())

    def write_hypotheses(self, references: list[str], hypotheses: list[str], speakers: list[str | None]) -> None:
        """Writes one JSON object per test utterance: what was said, what was heard, and who spoke (null: not known)."""
        entries = zip(references, hypotheses, speakers, strict=True)
        lines = [json.dumps({"reference": r, "hypothesis": h, "speaker": s}) + "\n" for r, h, s in entries]
        write_atomically(self.folder / paths.HYPOTHESES, "".join(lines).encode())

    def result(self) -> Result:
        """Returns the result of a finished run; ValueError where the file is damaged."""
        return _result(*_stamped(self.folder / paths.RESULT))

    def finish(self, result: Result) -> None:
        """Writes the result, then drops the checkpoint, which nothing needs any more."""
        write_atomically(self.folder / paths.RESULT, (json.dumps(result.plain(), indent=2) + "\n").encode())
        (self.folder / paths.CHECKPOINT).unlink(missing_ok=True)

    def save(self, name: str, state: Plain) -> None:
        """Writes tensors and plain values under the file name `name` (CHECKPOINT or MODEL)."""
        import torch

        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.folder / name, buffer.getvalue())

    def load(self, name: str) -> Plain:
        """Returns what `save` wrote, on the CPU; runs no code from the file. ValueError where it is damaged."""
        import torch

        path = self.folder / name
        try:
            state: Plain = torch.load(path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise ValueError(
                f"{path} is missing; train the run again with another results=..., or delete {self.folder}"
            ) from None
        except Exception as error:  # torch.load raises whatever its unpickler or zip reader stumbles over
            reason = str(error).partition("\n")[0].partition(". ")[0]
            raise ValueError(f"{path} can't be read ({reason}); delete it to train this run anew") from None
        return state


def _stamped(path: Path) -> tuple[Path, int, int]:
    """Returns the path with what changes when the file does, so that it is read once."""
    try:
        stat = path.stat()
    except OSError:
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_size


@cache
def _config(path: Path, changed: int, size: int) -> Recorded:
    try:
        return read_config(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = "; ".join(str(error).splitlines())
        raise ValueError(f"{path} is missing or damaged ({reason}); delete {path.parent} and train again") from None


@cache
def _result(path: Path, changed: int, size: int) -> Result:
    try:
        return read_result(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and train again") from None


def all_runs(results: Path) -> list[Run]:
    """Returns all runs below a results folder, finished or begun, by name."""
    return [Run(path.parent) for path in sorted(paths.runs(results).glob(f"*/{paths.CONFIG}"))]
