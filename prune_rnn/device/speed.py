"""Stage 4: what `prune-rnn bench --device cuda` measures, the shapes of most worth first; beside the paper's TitanX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from prune_rnn.bench import archive
from prune_rnn.bench.candidate import Measurement
from prune_rnn.bench.job import LAYER, PRODUCT
from prune_rnn.bench.matrices import UNSTRUCTURED, Shape
from prune_rnn.bench.measure import Timing, recurrent
from prune_rnn.bench.plan import BenchOptions, Plan, plan
from prune_rnn.bench.run import conditions
from prune_rnn.model.cells import Cells
from prune_rnn.report.table5 import write as table5
from prune_rnn.typed import Plain

_ORDER = ["gru_2560", "rnn_1760", "gru_3568", "rnn_2560", "rnn_3072", "gru_3584"]
SPARSITY = 0.95


def rows(dry: bool, folder: Path) -> Iterator[Plain]:
    """Yields the paper's row and then every way, group by group; after each the record in FOLDER/table5 is whole.

    Records are `prune-rnn bench`'s; its pages are written after each shape. A dry run writes none.
    """
    options = BenchOptions(
        device="cuda", workloads=[PRODUCT, LAYER], shapes=_ORDER, streams=[1] if dry else [1, 16],
        sparsity=[SPARSITY], rounds=1 if dry else 3, seconds=0.0 if dry else 0.02, results=str(folder),
    )  # fmt: skip
    planned = plan(options)
    shapes = sorted(planned.shapes, key=lambda shape: _ORDER.index(shape.name))
    if dry:
        shapes = [Shape("rnn_1760", "4 units in place of 1760", Cells.rnn.value, 4)]
    measured: list[Measurement] = []
    for shape in shapes:
        for workload in (PRODUCT, LAYER):
            timing = Timing(1, options.rounds, options.seconds, options.device)
            for group in recurrent(workload, shape, options.streams, [SPARSITY], timing, [UNSTRUCTURED]):
                measured += group
                if not dry:
                    table = [archive.row(m, planned.labels[m.shape]) for m in measured]
                    archive.write(folder / "table5", table, conditions(planned, "scripts/check_cuda.py"))
                yield from _shown(group, shape.label, planned)
        if not dry:
            table5.write(folder / "table5")  # its figures take a second


def _shown(group: Sequence[Measurement], label: str, planned: Plan) -> Iterator[Plain]:
    """Yields a group's rows, fastest first; the paper's before those of its own job, the product of one stream."""
    first = group[0]
    about: Plain = {"job": f"{first.workload}, {label}", "streams": first.streams}
    paper = planned.paper.get(first.shape)
    if paper and first.workload == PRODUCT and first.streams == 1:
        dense = f"{paper['us'] * paper['speedup']:.0f} us, dense {planned.baselines[first.shape]}"
        yield {
            **about, "way": "the paper: TitanX, cuSPARSE", "sparsity": SPARSITY, "us": paper["us"],
            "speed-up": paper["speedup"], "over": dense,
        }  # fmt: skip
    fastest = min((m for m in group if m.candidate.sparsity is None), key=lambda m: m.median)
    for m in sorted(group, key=lambda m: m.median):
        c = m.candidate
        yield {
            **about, "way": c.name + (f", {c.format}" if c.format else ""), "weights": c.dtype, "sparsity": c.sparsity,
            "us": m.median, "speed-up": fastest.median / m.median, "over": fastest.candidate.name,
        }  # fmt: skip
