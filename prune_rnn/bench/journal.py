"""The groups measured so far, in a file: the same command goes on after a kill."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from prune_rnn import files
from prune_rnn.bench.candidate import Candidate, Measurement
from prune_rnn.files import write_atomically
from prune_rnn.typed import Plain
from prune_rnn.values import from_json

Key = tuple[str, str, int]  # workload, shape, streams


class Journal:
    """The finished groups of one benchmark.

    stamp: one line, what must be the same to go on (options, versions, commit). A file with another stamp is not read,
    and replaced by the first `add`; what follows a damaged line is ignored.
    """

    def __init__(self, path: Path, stamp: str) -> None:
        self.groups: dict[Key, list[Measurement]] = {}
        self._path, self._stamp = path, stamp
        try:
            lines = files.lines(files.read(path, files.LINES)) if path.exists() else []
        except ValueError:  # edited
            lines = []
        for line in lines[1:] if lines[:1] == [stamp] else ():
            try:
                group = [_measurement(each) for each in from_json(line)]
                self.groups[_key(group)] = group
            except (ValueError, TypeError, KeyError, IndexError):  # of another version, or edited
                break

    def add(self, group: list[Measurement]) -> None:
        """Adds a group; it is on disk when this returns."""
        self.groups[_key(group)] = group
        lines = [self._stamp, *(json.dumps([asdict(each) for each in group]) for group in self.groups.values())]
        write_atomically(self._path, "".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """Removes the file: the benchmark is finished and written."""
        self._path.unlink(missing_ok=True)


def _key(group: list[Measurement]) -> Key:
    return group[0].workload, group[0].shape, group[0].streams


def _measurement(kept: Plain) -> Measurement:
    return Measurement(**{**kept, "candidate": Candidate(**kept["candidate"])})
