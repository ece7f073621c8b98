"""Writes the data files of this package from finished runs: `python -m prune_rnn.predict.ship [RESULTS]`.

networks.csv holds the networks that the law is fitted to, magnitudes.csv the distributions of |w|.
"""

from __future__ import annotations

import sys
from pathlib import Path

from prune_rnn.analyse.finished import read
from prune_rnn.files import write_atomically
from prune_rnn.predict import magnitudes, networks, regression
from prune_rnn.run.store import all_runs


def contents(results: Path) -> dict[Path, str]:
    """Returns the text of each file, made from the finished runs of a results folder."""
    runs = [read(run) for run in all_runs(results) if run.finished]
    return {
        networks.SHIPPED: networks.as_csv(networks.of_runs(runs)),
        magnitudes.SHIPPED: magnitudes.as_csv(regression.of_runs(runs)),
    }


if __name__ == "__main__":
    for path, text in contents(Path(sys.argv[1] if len(sys.argv) > 1 else "results")).items():
        write_atomically(path, text.encode())
