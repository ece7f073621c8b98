"""The paper's Table 3 from the runs: character error rate, parameters, sparsity, relative performance."""

from __future__ import annotations

import hashlib
import shlex
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from tabulate import tabulate

from prune_rnn import paths
from prune_rnn.config import Config, compose_config
from prune_rnn.prune.gradual import GradualConfig
from prune_rnn.resolve import automatic_runs, resolve, run_of
from prune_rnn.run import Run, all_runs, write_atomically

_DASH = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One model and the results of its seeds."""

    label: str
    family: str
    command: str  # that makes a run for it
    units: int
    paper: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cer(self) -> float | None:
        """The mean over the seeds, a fraction; None without a run."""
        return statistics.mean(r["test"]["cer"]["rate"] for r in self.results) if self.results else None


def relative(baseline: float, cer: float) -> float:
    """Returns the relative performance, positive where better: (baseline - cer) / baseline. Paper, Table 3.

    >>> round(100 * relative(10.67, 14.50), 2)
    -35.9
    """
    return (baseline - cer) / baseline


def collect(overrides: Sequence[str]) -> tuple[Config, list[Row]]:
    """Returns the configuration in common and the rows of conf/table/table3.yaml with what runs there are.

    A row's runs are found by composing its own configuration for each seed that any run on disk has. Overrides of
    `prune` go to the rows that are pruned.
    """
    for override in overrides:
        if override.lstrip("+~").split("=")[0] in ("model", "seed", "prune"):
            raise ValueError(f"{override}: the rows choose the model and take in every seed; leave it out")
    common = [override for override in overrides if not override.lstrip("+~").startswith("prune.")]
    shared = compose_config(common)
    seeds = sorted({run.config()["identity"]["seed"] for run in all_runs(Path(shared.results)) if run.finished})
    rows = []
    for entry in yaml.safe_load((paths.conf() / "table" / "table3.yaml").read_text())["rows"]:
        model = f"model={entry['model']}"
        own, config = [model, *common], compose_config([model, *common])
        if isinstance(config.prune, GradualConfig) and common != list(overrides):
            own = [model, *overrides]
            compose_config(own)  # tells what is wrong with them, also where there is no run yet
        command = shlex.join(["prune-rnn", "train", *own])
        found = [_finished(compose_config([*own, f"seed={seed}"])) for seed in seeds]
        results = [run.result() for run in found if run is not None]
        rows.append(Row(entry["label"], entry["family"], command, config.model.units, entry.get("paper", {}), results))
    return shared, rows


def _finished(config: Config) -> Run | None:
    """Returns the finished run that the configuration names, else one that its `q=auto` led to before."""
    wanted = run_of(resolve(config)[0])
    automatic = getattr(config.prune, "q", None) == "baseline"
    return next((run for run in [wanted, *(automatic_runs(config) if automatic else [])] if run.finished), None)


def _over_seeds(values: list[float], form: str, *, spread: bool) -> str:
    """Returns the mean, and with `spread` the sample standard deviation; a dash without values."""
    if not values:
        return _DASH
    mean = format(statistics.mean(values), form)
    return f"{mean} ± {statistics.stdev(values):.2f}" if spread and len(values) > 1 else mean


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns the table as printed, one row a model; the first row of each family is its baseline."""
    baselines: dict[str, float | None] = {}
    lines = []
    for row in rows:
        baseline = baselines.setdefault(row.family, row.cer)
        performance = None if row.cer is None or baseline is None else 100 * relative(baseline, row.cer)
        paper = row.paper
        lines.append(
            {
                "Model": row.label,
                "Units": f"{row.units}",
                "Seeds": f"{len(row.results)}",
                "CER %": _over_seeds([100 * r["test"]["cer"]["rate"] for r in row.results], ".2f", spread=True),
                "Paper's CER %": f"{paper['cer']:.2f}" if paper else _DASH,
                "Parameters": _over_seeds([r["nonzero"] for r in row.results], ",.0f", spread=False),
                "Paper's parameters": paper["parameters"] if paper else _DASH,
                "Sparsity %": _over_seeds([100 * r["sparsity"] for r in row.results], ".1f", spread=False),
                "Relative %": _DASH if performance is None else f"{performance:+.2f}",
                "Paper's relative %": f"{paper['relative']:+.2f}" if paper else _DASH,
            }
        )
    return pd.DataFrame(lines)


def _caption(shared: Config, rows: Sequence[Row]) -> str:
    data, train = shared.data, shared.train
    speech = f"{data.train_hours:g} h of synthetic speech" if data.name == "synthetic" else f"{data.train}"
    done = [result for row in rows for result in row.results]
    seeds = sorted({result["seed"] for result in done})
    return (
        f"Table 3 at scale={shared.scale.name}: trained on {speech}, {train.epochs} epochs; CER of the test split, "
        f"mean ± standard deviation over seeds ({', '.join(map(str, seeds)) or 'none yet'}). "
        "Parameters: those not zero. Relative: (baseline - CER) / baseline. "
        "The paper's columns: 2100 h of speech, at its own scale."
    )


def report(overrides: Sequence[str]) -> str:
    """Writes the table as Markdown, CSV and LaTeX below `results`, and returns what to print."""
    shared, rows = collect(overrides)
    table, caption = frame(rows), _caption(shared, rows)
    missing = "\n".join(f"- {row.label}: `{row.command}`" for row in rows if not row.results)
    notes = f"\n\nNo run yet:\n\n{missing}" if missing else ""

    def laid_out(form: str) -> str:
        return tabulate(table.values.tolist(), list(table.columns), tablefmt=form, disable_numparse=True)

    special = [o for o in overrides if o.split("=")[0] not in ("scale", "results", "device", "threads")]
    if special:  # a table of its own beside that of the defaults
        caption += f" With {shlex.join(special)}."
    suffix = "_" + hashlib.sha256(shlex.join(sorted(special)).encode()).hexdigest()[:6] if special else ""
    base = paths.tables(Path(shared.results)) / f"table3_{shared.scale.name}{suffix}"
    written = {
        "md": f"{caption}\n\n{laid_out('github')}{notes}\n",
        "csv": table.to_csv(index=False),
        "tex": f"% {caption}\n{laid_out('latex_booktabs')}\n",
    }
    for ending, content in written.items():
        write_atomically(base.with_suffix(f".{ending}"), content.encode())
    return f"{caption}\n\n{laid_out('simple')}{notes.replace('`', '')}\n\nwritten: {base}.{{{','.join(written)}}}"
