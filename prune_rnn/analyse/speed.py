"""The speed-up of a pruned network over its dense baseline, from a record of `prune-rnn bench`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prune_rnn.bench import archive
from prune_rnn.bench.archive import Conditions
from prune_rnn.bench.job import LAYER, NETWORK
from prune_rnn.usage import FAULTS

WORKLOADS = (LAYER, NETWORK)


@dataclass(frozen=True, slots=True)
class Speeds:
    """The time of each run in one record of a CPU: the least median of the candidates that do the whole job.

    folder: the record's. times: microseconds by (workload, run), one stream: a time step of the middle recurrent layer,
    or a second of audio through the network.
    """

    folder: str
    conditions: Conditions
    times: dict[tuple[str, str], float]

    def times_as_fast(self, workload: str, runs: Sequence[str], baselines: Sequence[str]) -> float | None:
        """Returns the baseline's time over the row's time; None where one was not measured.

        runs, baselines: names, one per seed; the first that was measured counts.
        """
        own, base = (
            next((self.times[workload, run] for run in names if (workload, run) in self.times), None)
            for names in (runs, baselines)
        )
        return None if own is None or base is None else base / own


def read(folder: Path) -> Speeds:
    """Returns the record in `folder`. Raises OSError or ValueError as `bench.archive.read` does."""
    rows, conditions = archive.read(folder)
    times: dict[tuple[str, str], float] = {}
    for row in rows if conditions.device == "cpu" else ():
        if row.workload in WORKLOADS and row.streams == 1 and row.exact and not row.stage:
            key = (row.workload, row.shape)
            times[key] = min(row.median_us, times.get(key, row.median_us))
    return Speeds(folder.name, conditions, times)


def best(folder: Path, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Speeds | None:
    """Returns the record below `folder` with the most speed-ups, the first by name of several; None without speed-ups.

    pairs: names of a row's runs, and of its baseline's. Records that can't be read are left out; the report names them
    beside Table 5.
    """
    found: Speeds | None = None
    most = 0
    for path in sorted(folder.glob("*/conditions.json")):
        try:
            speeds = read(path.parent)
        except FAULTS:
            continue
        ratios = [speeds.times_as_fast(workload, *pair) for pair in pairs for workload in WORKLOADS]
        count = sum(ratio is not None for ratio in ratios)
        if count > most:
            found, most = speeds, count
    return found
