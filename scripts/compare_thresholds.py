"""How far the sparsity that `prune-rnn predict` gives for a threshold is off, by runs of other widths and steps.

    python scripts/compare_thresholds.py            # of results/runs
    python scripts/compare_thresholds.py RESULTS

Each width and number of steps of a cell is left out in turn. Prints a Markdown table in points of sparsity, of all
weights that are pruned: at the end of pruning, and at the end of each epoch on the way.
"""

import math
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

from prune_rnn.analyse.finished import Finished, read
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.predict.magnitudes import COURSE, END
from prune_rnn.predict.regression import Observed, left_out, observed
from prune_rnn.run.store import all_runs


def points(runs: list[Finished], cell: str, part: str) -> list[float]:
    """Returns predicted less true sparsity of each run's end, or of each of its epochs, in points."""
    owners: list[tuple[str, Observed]] = []
    sizes: dict[str, dict[str, int]] = {}
    for run in runs:
        found = [each for each in observed(run) if part in (COURSE, each.part)]
        owners += [(run.name, each) for each in found]
        if found:
            groups = run.config.prune.weights(meta_model(run.config.model))
            sizes[run.name] = {kind: sum(p.numel() for p in group.values()) for kind, group in groups.items()}
    names = {id(each): name for name, each in owners}
    off: defaultdict[tuple[str, float], dict[str, float]] = defaultdict(dict)  # by run and time, then layer type
    for layer_type in {each.layer_type for _, each in owners}:
        of = [each for _, each in owners if each.layer_type == layer_type]
        for each, predicted in left_out(of, cell, part):
            time = each.regressors.time if part == COURSE else 0.0  # layer types may reach the end in different epochs
            off[names[id(each)], time][layer_type] = -math.expm1(-math.exp(predicted)) - each.sparsity
    return [
        100 * sum(size * found[kind] for kind, size in sizes[name].items()) / sum(sizes[name].values())
        for (name, _), found in off.items()
        if found.keys() == sizes[name].keys()
    ]


def main() -> None:
    """Prints the table."""
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    runs = [read(run) for run in all_runs(results) if run.finished]
    print("| cell | when | sparsities | median | root mean square | worst |\n|" + "---|" * 6)
    for cell in ("gru", "rnn"):
        for part, when in ((END, "at the end"), (COURSE, "each epoch")):
            off = points(runs, cell, part)
            spread = math.sqrt(sum(each**2 for each in off) / len(off))
            cells = median(map(abs, off)), spread, max(map(abs, off))
            print(f"| {cell} | {when} | {len(off)} | " + " | ".join(f"{each:.1f}" for each in cells) + " |")


if __name__ == "__main__":
    main()
