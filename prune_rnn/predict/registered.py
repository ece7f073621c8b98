"""Predictions that were registered before the networks were trained: `results/predictions.csv`.

`python -m prune_rnn.predict.registered 'OVERRIDES' ...` adds one line each, with the commit that it was made at. A line
is never changed: what is registered already is left as it is.
"""

from __future__ import annotations

import csv
import datetime
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from prune_rnn.config.config import Config, compose_config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.files import write_atomically
from prune_rnn.predict.forecast import forecast
from prune_rnn.predict.interval import by_networks
from prune_rnn.predict.networks import known
from prune_rnn.provenance import commit
from prune_rnn.run.resolve import resolve, run_of

FILE = "predictions.csv"  # below the results folder


@dataclass(frozen=True, slots=True)
class Registered:
    """One prediction. cer, low, high: fractions, of one run. parameters: not zero. bytes: of the packed float32 file.

    commit: of the program that made it. date: in UTC.
    """

    overrides: str
    cer: float
    low: float
    high: float
    parameters: int
    bytes: int
    commit: str
    date: str

    def config(self, results: str) -> Config:
        """Returns the configuration of the network, in a results folder."""
        return compose_config([*shlex.split(self.overrides), f"results={results}"])


def read(results: Path) -> list[Registered]:
    """Returns all registered predictions; ValueError where the file is damaged."""
    path = results / FILE
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_line(row) for row in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); restore it from your version control") from None


def _line(row: dict[str, str]) -> Registered:
    cer, low, high = (float(row[name]) for name in ("cer", "low", "high"))
    counts = int(row["parameters"]), int(row["bytes"])
    return Registered(row["overrides"], cer, low, high, *counts, row["commit"], row["date"])


def register(overrides: Sequence[str], results: Path) -> list[Registered]:
    """Adds a prediction of each network that has none and no run, and returns those added.

    ValueError where the program has changes that no commit holds, or the CER of a network can't be predicted.
    """
    made_at = commit()
    if made_at is None or made_at.endswith("+changes"):
        raise ValueError(f"commit {made_at}: a registered prediction names the commit that made it; commit first")
    before = read(results)
    old = {each.overrides for each in before}
    expectation = by_networks(known(results))
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    added = []
    for words in (each for each in overrides if each not in old):
        config = compose_config([*shlex.split(words), f"results={results}"])
        if run_of(resolve(config)[0]).finished:
            raise ValueError(f"{words}: is trained already; leave it out")
        of = forecast(config, expectation)
        if of.cer is None:
            raise ValueError(f"{words}: no run fixes the level of the CER; leave it out")
        cer, low, high = (round(each, 5) for each in (of.cer.cer, of.cer.low, of.cer.high))
        added.append(Registered(words, cer, low, high, of.nonzero, of.sizes[Dtype.float32], made_at, date))
    frame = pd.DataFrame(map(asdict, [*before, *added]), columns=[field.name for field in fields(Registered)])
    write_atomically(results / FILE, frame.to_csv(index=False, lineterminator="\n").encode())
    return added


if __name__ == "__main__":
    for one in register(sys.argv[1:], Path("results")):
        print(f"{one.overrides}: {100 * one.cer:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f})")
