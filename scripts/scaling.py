"""Prints the frontier, the trend, the start of pruning and hard pruning, with 95 % intervals, from results/runs.

python scripts/scaling.py frontier    # what scripts/frontier.sh trained
python scripts/scaling.py trend       # what scripts/trend.sh trained
python scripts/scaling.py start       # what scripts/start.sh trained
python scripts/scaling.py hard        # what scripts/hard.sh trained
python scripts/scaling.py foretold    # each network by all others, as `prune-rnn describe` does
"""

import statistics
import sys

import numpy as np
from tabulate import tabulate

from prune_rnn.analyse.bootstrap import by_speaker
from prune_rnn.analyse.comparison import heard, versus
from prune_rnn.analyse.finished import read
from prune_rnn.analyse.prediction import alike, law
from prune_rnn.analyse.rows import Row, comparable
from prune_rnn.config import compose_config
from prune_rnn.report.table3 import between
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve, run_of

WIDER = ["scale.width=0.0875"]
TREND = [
    ("gru", ["scale.width=0.025", "data.train_hours=4", "train.steps_per_epoch=60"]),
    ("gru", ["scale.width=0.035", "data.train_hours=8", "train.steps_per_epoch=100"]),
    ("gru", ["train.steps_per_epoch=50"]),
    ("gru", ["train.steps_per_epoch=100"]),
    ("gru", []),
    ("gru", WIDER),
    ("rnn", []),
    ("rnn", WIDER),
]
HARD = [5, 7, 10, 12, 15]  # the epochs of the paper's Table 4
LATE = [
    ["prune.start_epoch=5", "prune.ramp_epoch=7", "prune.end_epoch=12"],
    ["prune.start_epoch=8", "prune.ramp_epoch=9", "prune.end_epoch=14"],
]
STARTED = [("gru_sparse_big", sparsity) for sparsity in (0.5, 0.7, 0.8, 0.818, None)]
STARTED += [("gru_sparse", 0.5), ("gru_sparse", 0.8), ("gru_sparse", None)]
STARTED += [("rnn_sparse_big", 0.818), ("rnn_sparse_big", None)]
RESAMPLES = 10_000


def frontier() -> None:
    """Each network against GRU Dense; each pruned one against the line between the dense ones, in log parameters."""
    own = compose_config(["model=gru_dense"])
    runs = [
        r for r in comparable(own) if r.config.model.cell.name == "gru" and r.seed == 0 and r.config.train == own.train
    ]
    runs.sort(key=lambda run: -run.result.nonzero)
    edits = [run.edits() for run in runs]
    counts = np.array([by_speaker(each.counts, each.speakers) for each in edits])
    lengths = by_speaker(edits[0].lengths, edits[0].speakers)
    random = np.random.default_rng(0)
    drawn = random.multinomial(len(lengths), np.full(len(lengths), 1 / len(lengths)), size=RESAMPLES)
    drawn = np.vstack([np.ones(len(lengths)), drawn])  # the first is the split itself
    cer = (drawn @ counts.T) / (drawn @ lengths)[:, None]  # (resamples, runs)
    dense = [place for place, run in enumerate(runs) if not run.config.prune.prunes][::-1]  # smallest first
    baseline = next(place for place in dense if runs[place].config.model.units == own.model.units)
    sizes = np.log([runs[place].result.nonzero for place in dense])
    rows = []
    for place, run in enumerate(runs):
        relative = (cer[:, baseline] - cer[:, place]) / cer[:, baseline]
        phase = run.config.prune.phase()
        row = [f"{run.config.model.units} units", f"{100 * run.result.sparsity:.1f}"]
        row += [f"{phase[0]:g} to {phase[1]:g}" if phase else "-", f"{run.result.nonzero:,}"]
        row += [f"{100 * run.cer:.2f}", told(relative) if place != baseline else "-"]
        if place not in dense and sizes[0] <= np.log(run.result.nonzero) <= sizes[-1]:
            at_size = np.array([np.interp(np.log(run.result.nonzero), sizes, each[dense]) for each in cer])
            row.append(told((at_size - cer[:, place]) / at_size))
        else:
            row.append("-")
        curve = cer[0, dense][::-1]  # falling with size: rising in this order
        if place not in dense and curve[0] <= run.cer <= curve[-1]:
            row.append(f"{np.exp(np.interp(run.cer, curve, sizes[::-1])) / run.result.nonzero:.1f}")
        else:
            row.append("-")
        rows.append(row)
    head = [
        "GRU network",
        "sparsity %",
        "pruned in epochs",
        "parameters not zero",
        "test CER %",
        "against GRU Dense",
        "against dense of its size",
    ]
    print(tabulate(rows, [*head, "dense of its CER is larger by"], tablefmt="github", disable_numparse=True))


def told(relative: np.ndarray) -> str:
    low, high = np.quantile(relative[1:], [0.025, 0.975])
    return f"{100 * relative[0]:+.1f} % ({100 * low:+.1f} to {100 * high:+.1f})"


def row_of(overrides: list[str]) -> Row:
    """Returns the finished runs of these overrides, of any of the first ten seeds."""
    configs = [resolve(compose_config([*overrides, f"seed={seed}"])) for seed in range(10)]
    runs = [run_of(config) for config, _ in configs]
    config, source = configs[0]
    model = config.model.name
    return Row(
        label=model, family="gru", model=model, command="", units=config.model.units, sparse=config.prune.prunes,
        config=recorded(config, source), runs=[read(run) for run in runs if run.finished],
    )  # fmt: skip


def trend() -> None:
    """Sparse Big against its dense baseline at each setting, over the seeds of both."""
    rows = []
    for family, overrides in TREND:
        shared = compose_config(overrides)
        dense, big = (row_of([f"model={family}_{kind}", *overrides]) for kind in ("dense", "sparse_big"))
        steps = shared.train.epochs * (shared.train.steps_per_epoch or 0)
        rows += compared(dense, big, family.upper(), dense.units, big.units, shared.data.describe(), f"{steps:,}")
    show(["cell", "dense units", "sparse units", "speech", "steps"], rows)


def start() -> None:
    """Networks pruned at other epochs than the table's, against those and against the dense baseline."""
    rows = []
    for model, sparsity in STARTED:
        own = [f"model={model}", *([] if sparsity is None else [f"prune.sparsity={sparsity}"])]
        dense, early = row_of([f"model={model[:3]}_dense"]), row_of(own)
        for row in (early, *(row_of([*own, *epochs]) for epochs in LATE)):
            if not row.runs:
                continue
            (first, last), sparsity = row.config.prune.phase() or (0, 0), row.runs[0].result.sparsity
            gain = "-" if row is early else gain_over(row, early, dense)
            about = [model, f"{100 * sparsity:.1f}", f"{first:g} to {last:g}"]
            rows += [[*line, gain] for line in compared(dense, row, *about)]
    show(["model", "sparsity %", "pruned in epochs"], rows, "against the table's epochs")


def gain_over(row: Row, other: Row, dense: Row) -> str:
    """Returns how much lower the CER of the one is than the other's."""
    against = versus(row, other, heard([dense, other, row]))
    return f"{100 * (against.relative or 0):+.1f} % {between(against.interval, '+.1f')}"


def hard() -> None:
    """RNN Sparse pruned at once at some epoch, against RNN Dense and against gradual pruning."""
    dense, gradual = row_of(["model=rnn_dense"]), row_of(["model=rnn_sparse"])
    (first, last), rows = gradual.config.prune.phase() or (0, 0), []
    for epoch in (None, *HARD):
        row = gradual if epoch is None else row_of(["model=rnn_sparse", "prune=hard", f"prune.epoch={epoch}"])
        gain = gain_over(row, gradual, dense) if row is not gradual and row.runs else "-"
        about = f"gradual, {first:g} to {last:g}" if epoch is None else f"hard, at {epoch}"
        rows += [[*line, gain] for line in compared(dense, row, about)]
    show(["pruned in epochs"], rows, "against gradual pruning")


def foretold() -> None:
    """The CER of each of Table 3's networks, and of the wider ones, as all others of its cell foretell it."""
    kinds = ["dense", "dense_small", "dense_medium", "sparse", "sparse_medium", "sparse_big"]
    models = [
        [f"model={cell}_{kind}"] for cell in ("rnn", "gru") for kind in kinds if (cell, kind) != ("gru", kinds[2])
    ]
    models += [[f"model={cell}_{kind}", *WIDER] for cell in ("rnn", "gru") for kind in ("dense", "sparse_big")]
    rows = []
    for overrides in models:
        row = row_of(overrides)
        if not row.runs:
            continue
        config, _ = resolve(compose_config(overrides))
        result = row.runs[0].result
        goal = getattr(config.prune, "prunable_sparsity", 0.0)
        points = alike(config, goal)
        found = law(points)
        if found is not None:
            guess, measured = found.cer(result.prunable, 1 - goal), statistics.mean(run.cer for run in row.runs)
            rows.append([row.model, row.units, f"{100 * result.sparsity:.1f}", len(points), f"{100 * guess:.1f}"])
            rows[-1] += [f"{100 * measured:.1f}", len(row.runs), f"{100 * (guess - measured):+.1f}"]
    head = [
        "model",
        "units",
        "sparsity %",
        "by networks",
        "foretold CER %",
        "measured CER %",
        "seeds",
        "off by, points",
    ]
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


def compared(dense: Row, sparse: Row, *first: object) -> list[list[object]]:
    """Returns a line of a table that begins with `first`; none where no seed has both."""
    against = versus(sparse, dense, heard([dense, sparse]))
    if against.relative is None:
        return []
    both = ([run.cer for run in row.runs if run.seed in against.seeds] for row in (dense, sparse))
    mean = [f"{100 * float(np.mean(cers)):.2f}" for cers in both]
    sizes = [f"{row.runs[0].result.nonzero:,}" for row in (dense, sparse)]
    relative = [f"{100 * against.relative:+.1f} %", between(against.interval, "+.1f")]
    return [[*first, len(against.seeds), *sizes, *mean, *relative]]


def show(first: list[str], rows: list[list[object]], *last: str) -> None:
    head = ["seeds", "dense parameters", "sparse, not zero", "dense CER %", "sparse CER %", "relative", "95 % interval"]
    print(tabulate(rows, [*first, *head, *last], tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    {each.__name__: each for each in (frontier, trend, start, hard, foretold)}[sys.argv[1]]()
