"""How many times as fast a pruned network is as its dense baseline, from what `prune-rnn bench` recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from prune_rnn.bench import archive
from prune_rnn.bench.archive import Conditions
from prune_rnn.bench.job import LAYER, NETWORK
from prune_rnn.usage import FAULTS

WORKLOADS = (LAYER, NETWORK)


@dataclass(frozen=True, slots=True)
class Speeds:
    """The least time of each run in one record of one machine, in microseconds, of all ways that do the whole job.

    folder: its name. times: by (workload, run), of one stream: a step of the middle recurrent layer, a network's second
    of audio.
    """

    folder: str
    conditions: Conditions
    times: dict[tuple[str, str], float]

    def times_as_fast(self, workload: str, runs: Collection[str], baselines: Collection[str]) -> float | None:
        """Returns the baselines' fastest time over that of the runs; None where neither of one kind was measured."""
        own, base = (
            min((self.times[workload, run] for run in names if (workload, run) in self.times), default=None)
            for names in (runs, baselines)
        )
        return None if own is None or base is None else base / own


def read(folder: Path) -> Speeds:
    """Returns the record in `folder`. Raises OSError or ValueError as `bench.archive.read` does."""
    rows, conditions = archive.read(folder)
    times: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.workload in WORKLOADS and row.streams == 1 and row.exact and not row.stage:
            key = (row.workload, row.shape)
            times[key] = min(row.median_us, times.get(key, row.median_us))
    return Speeds(folder.name, conditions, times)


def best(folder: Path, wanted: Sequence[str]) -> Speeds | None:
    """Returns the record below `folder` with the most of the wanted runs, the first by name of several; None: no such
    run in any. Records that can't be read are left out; the report names them where it prints Table 5."""
    found: Speeds | None = None
    most = 0
    for path in sorted(folder.glob("*/conditions.json")):
        try:
            speeds = read(path.parent)
        except FAULTS:
            continue
        count = sum((workload, run) in speeds.times for run in wanted for workload in WORKLOADS)
        if count > most:
            found, most = speeds, count
    return found
