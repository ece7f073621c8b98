"""The networks that the law is fitted to: those that come with the package, and those of a results folder."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from prune_rnn.analyse.finished import Finished, read
from prune_rnn.analyse.origins import origins
from prune_rnn.predict.setting import Setting, setting
from prune_rnn.run.store import all_runs

SHIPPED = Path(__file__).with_name("networks.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A setting that was trained. log_cer: of the test split, the mean over its runs.

    deviation: of log CER over the runs; None of a single one. runs: their folders' names.
    """

    setting: Setting
    log_cer: float
    deviation: float | None
    runs: tuple[str, ...]

    @property
    def seeds(self) -> int:
        """How many runs the mean is of."""
        return len(self.runs)


def density(run: Finished) -> float:
    """Returns the share of a run's prunable weights that stayed."""
    result = run.result
    return (result.nonzero - (result.parameters - result.prunable)) / result.prunable


def of_runs(runs: Sequence[Finished], others: Iterable[Finished] = ()) -> list[Network]:
    """Returns the networks of finished runs, one for each setting; runs without an error are left out.

    others: further runs that these may start from or learn from.
    """
    found: dict[tuple[object, ...], list[tuple[Setting, Finished]]] = {}
    origin = origins(runs, others)
    for run in runs:
        if run.cer > 0 and (share := density(run)) > 0:
            own = setting(run.config, run.result.parameters, run.result.prunable, share)
            found.setdefault((*own.key, origin[run.name]), []).append((own, run))
    networks = []
    for group in found.values():
        logs = [math.log(run.cer) for _, run in group]
        deviation = statistics.stdev(logs) if len(logs) > 1 else None
        names = tuple(sorted(run.name for _, run in group))
        networks.append(Network(setting=group[0][0], log_cer=statistics.mean(logs), deviation=deviation, runs=names))
    return networks


def known(results: Path) -> list[Network]:
    """Returns the shipped networks and those of the results folder; a run that is in both counts once."""
    names = {name for network in shipped() for name in network.runs}
    finished = [run for run in all_runs(results) if run.finished]
    own = [read(run) for run in finished if run.folder.name not in names]
    return [*shipped(), *of_runs(own, (read(run) for run in finished if run.folder.name in names))]


@cache
def shipped() -> tuple[Network, ...]:
    """Returns the networks of networks.csv."""
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        return tuple(_network(row) for row in csv.DictReader(file))


def as_csv(networks: Sequence[Network]) -> str:
    """Returns networks as the text of networks.csv, ordered by their runs; numbers have 6 digits."""
    rows = [
        {**asdict(each.setting), "log_cer": each.log_cer, "deviation": each.deviation, "runs": " ".join(each.runs)}
        for each in sorted(networks, key=lambda each: each.runs)
    ]
    return pd.DataFrame(rows).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _number(text: str) -> float | None:
    return float(text) if text else None


_READ: dict[Any, Callable[[str], Any]] = {  # by type
    "str": str, "int": int, "float": float, "float | None": _number, "bool": "True".__eq__,
}  # fmt: skip


def _network(row: dict[str, str]) -> Network:
    own = Setting(**{field.name: _READ[field.type](row[field.name]) for field in fields(Setting)})
    deviation, runs = _number(row["deviation"]), tuple(row["runs"].split())
    return Network(setting=own, log_cer=float(row["log_cer"]), deviation=deviation, runs=runs)
