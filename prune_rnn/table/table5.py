"""The paper's Table 5: how fast sparse is against dense, measured now, on this machine."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tabulate import tabulate

from prune_rnn import __version__, paths
from prune_rnn.bench import baselines
from prune_rnn.bench.measure import FORCED, LAYER, NETWORK, PRODUCT, Measurement
from prune_rnn.bench.plan import BenchOptions, Unfinished, measure
from prune_rnn.engine import native
from prune_rnn.engine.quantise import Dtype
from prune_rnn.files import write_atomically
from prune_rnn.provenance import commit

_DASH = "-"
_TORCH = ("torch float32", "cuBLAS float32", "cuBLAS, graph float32")  # torch's dense float32, by device and block
_OURS = ("engine", "prune-rnn", "Triton")  # what the names of this project's own begin with
_TITLES = {
    PRODUCT: "The recurrent product alone, microseconds",
    LAYER: "The recurrent layer over a sequence with its gates, microseconds a step",
    NETWORK: "The whole network from features to log-probabilities, one stream, microseconds per second of audio",
}


def _best(group: Iterable[Measurement]) -> Measurement:
    """Returns the fastest dense one."""
    return min((m for m in group if m.candidate.sparsity is None), key=lambda m: m.median)


def long_form(measurements: Sequence[Measurement], labels: dict[str, str]) -> pd.DataFrame:
    """Returns a row a measurement, with everything that was noted."""
    return pd.DataFrame(
        {
            "block": m.block,
            "shape": m.shape,
            "label": labels[m.shape],
            "streams": m.streams,
            "sparsity": m.candidate.sparsity,
            "mask": m.candidate.structure,
            "name": m.candidate.name,
            "weights": m.candidate.dtype,
            "dense": m.candidate.sparsity is None,
            "exact": m.candidate.exact,
            "format": m.candidate.format,
            "median_us": round(m.median, 3),
            "first_quartile_us": round(m.quartiles[0], 3),
            "third_quartile_us": round(m.quartiles[1], 3),
            "least_us": round(m.best, 3),
            "rounds": len(m.microseconds),
            "packing_s": m.candidate.packing_seconds and round(m.candidate.packing_seconds, 4),
            "bytes": m.candidate.bytes,
        }
        for m in measurements
    )


def _time(m: Measurement | None) -> str:
    if m is None:
        return _DASH
    low, high = m.quartiles
    return f"{m.median:.1f} ± {(high - low) / 2:.1f}"


def _ratio(dense: float | None, sparse: float) -> str:
    if dense is None:
        return _DASH
    return f"{dense / sparse:.2f}" + (" (slower)" if dense < sparse else "")


def _ours(group: Iterable[Measurement]) -> dict[str, Measurement]:
    """Returns this project's own among sparse ones, by type of weights."""
    return {m.candidate.dtype: m for m in group if m.candidate.name.startswith(_OURS)}


def _masks(group: Sequence[Measurement]) -> dict[tuple[float, str], list[Measurement]]:
    masks: dict[tuple[float, str], list[Measurement]] = {}
    for m in group:
        if m.candidate.sparsity is not None and m.candidate.structure != FORCED:
            masks.setdefault((m.candidate.sparsity, m.candidate.structure), []).append(m)
    return masks


def compared(
    measurements: Sequence[Measurement],
    labels: dict[str, str],
    baseline: dict[str, str],
    paper: dict[str, dict[str, float]],
) -> pd.DataFrame:
    """Returns one block as printed: a row a mask, the engine's times by type, and its fastest against the best dense.

    baseline: the shape that the paper compares a shape with. paper: its published figures.
    """
    rows = []
    groups = _grouped(measurements)
    for (shape, streams), group in groups.items():
        of_base = groups.get((baseline.get(shape, ""), streams))
        dense = _best(group)
        for (sparsity, structure), masked in _masks(group).items():
            ours, named = _ours(masked), {m.candidate.name: m for m in masked}
            sparse = (ours or named).values()
            best = min(sparse, key=lambda m: m.median)
            published = paper.get(shape, {}) if (streams, sparsity, structure) == (1, 0.95, "unstructured") else {}
            least = min(m.best for m in group if m.candidate.sparsity is None) / min(m.best for m in sparse)
            rows.append(
                {
                    "Shape": labels[shape],
                    "Streams": streams,
                    "Sparsity %": f"{100 * sparsity:.1f}".removesuffix(".0"),
                    "Mask": structure,
                    **{f"Sparse {dtype.value}": _time(ours.get(dtype.value)) for dtype in Dtype},
                    "CSR of torch": _time(named.get("torch CSR") or named.get("cuSPARSE")),
                    "CSR of scipy": _time(named.get("scipy CSR")),
                    "Best dense": f"{_time(dense)} ({dense.candidate.name})",
                    "Speed-up": f"{_ratio(dense.median, best.median)}, {best.candidate.dtype}",
                    "at best": _ratio(least, 1.0),
                    "of the baseline's size": _ratio(_best(of_base).median if of_base else None, best.median),
                    "Paper's": f"{published['speedup']} ({published['us']} us)" if published else _DASH,
                }
            )
    table = pd.DataFrame(rows)
    return table.loc[:, [column for column in table if set(table[column]) != {_DASH}]] if rows else table


def by_type(measurements: Sequence[Measurement], labels: dict[str, str]) -> pd.DataFrame:
    """Returns the speed-up of each type of weights over each kind of dense, at the highest sparsity of each mask."""
    rows = []
    for (shape, streams), group in _grouped(measurements).items():
        reference = next((m for m in group if m.candidate.name in _TORCH), None)
        masks = _masks(group)
        highest = {structure: max(s for s, other in masks if other == structure) for _, structure in masks}
        for structure, sparsity in highest.items():
            for dtype, m in _ours(masks[sparsity, structure]).items():
                row = {
                    "Shape": labels[shape],
                    "Streams": streams,
                    "Sparsity %": f"{100 * sparsity:.1f}",
                    "Mask": structure,
                }
                row |= {"Weights": dtype, "Time": _time(m)}
                row["of torch float32"] = _ratio(reference.median if reference else None, m.median)
                for kind in Dtype:
                    row[f"of best {kind.value}"] = _ratio(_median_of_best(group, kind.value), m.median)
                rows.append(row)
    return pd.DataFrame(rows)


def _median_of_best(group: Sequence[Measurement], dtype: str) -> float | None:
    return min((m.median for m in group if m.candidate.sparsity is None and m.candidate.dtype == dtype), default=None)


def _grouped(measurements: Sequence[Measurement]) -> dict[tuple[str, int], list[Measurement]]:
    groups: dict[tuple[str, int], list[Measurement]] = {}
    for m in measurements:
        groups.setdefault((m.shape, m.streams), []).append(m)
    return groups


def dense_times(measurements: Sequence[Measurement], labels: dict[str, str]) -> pd.DataFrame:
    """Returns the dense ones of one block: a row a shape, a column a way."""
    rows = []
    for (shape, streams), group in _grouped(measurements).items():
        row = {"Shape": labels[shape], "Streams": streams}
        row |= {m.candidate.name: _time(m) for m in group if m.candidate.sparsity is None}
        rows.append(row)
    return pd.DataFrame(rows).fillna(_DASH)


def break_even(measurements: Sequence[Measurement], labels: dict[str, str]) -> pd.DataFrame:
    """Returns, for each shape, from which sparsity of an unstructured mask on sparse is faster than the best dense.

    Linear between the measured sparsities; where all or none of them are faster, that is what is said.
    """
    rows = []
    for (shape, streams), group in _grouped(measurements).items():
        row: dict[str, Any] = {"Shape": labels[shape], "Streams": streams}
        for dtype in Dtype:
            points = [
                (m.candidate.sparsity, m.median)
                for m in group
                if m.candidate.sparsity is not None
                and m.candidate.structure in ("unstructured", FORCED)
                and m.candidate.dtype == dtype.value
                and m.candidate.name.startswith(_OURS)
            ]
            row[f"Sparse {dtype.value}"] = crossing(points, _best(group).median)
        if any(m.candidate.structure == "unstructured" for m in group):
            rows.append(row)
    return pd.DataFrame(rows)


def crossing(points: Sequence[tuple[float, float]], dense: float) -> str:
    """Returns the sparsity in percent at which the times of (sparsity, time) points fall below `dense`.

    >>> crossing([(0.8, 30.0), (0.9, 10.0)], 20.0), crossing([(0.8, 30.0)], 40.0), crossing([(0.8, 30.0)], 20.0)
    ('85 %', 'below 80 %', 'above 80 %')
    """
    ordered = sorted(points)
    if not ordered:
        return _DASH
    if ordered[-1][1] > dense:
        return f"above {100 * ordered[-1][0]:.0f} %"
    for (s1, t1), (s2, t2) in reversed(list(pairwise(ordered))):
        if t1 > dense >= t2:
            return f"{100 * (s1 + (s2 - s1) * (t1 - dense) / (t1 - t2)):.0f} %"
    return f"below {100 * ordered[0][0]:.0f} %"


def _machine(options: BenchOptions) -> str:
    if options.device == "cuda":
        return torch.cuda.get_device_name()
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def caption(options: BenchOptions, command: str) -> str:
    """Returns what has to stand beside the numbers."""
    threads = options.threads or torch.get_num_threads()
    sets = native.instruction_sets()
    kernels = f"engine for {sets[0].name}" if sets else "no engine (no compiler at installation)"
    versions = ", ".join(f"{name} {version}" for name, version in baselines.versions().items())
    missing = baselines.missing()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    left_out = f" (not installed and left out: {', '.join(missing)})" if missing else ""
    return (
        f"Table 5 on {_machine(options)}, {threads} threads, {kernels}, prune-rnn {__version__} (commit {commit()}), "
        f"{versions}{left_out}. By `{command}`. Machine load after the run: {load}.\n\n"
        f"Median ± half the distance of the quartiles, of {options.rounds} measurements in turn of about "
        f"{options.seconds:g} s each, warm. Weights and masks are random (seed 0) but for models named by their run. "
        "The type named is that of the weights and of what they are multiplied with; sums and gates are float32 "
        "(int8: sums int32). Speed-up: the best dense one's time over the fastest sparse one's, whatever their types; "
        "below 1 is slower. 'at best': the same from the fastest round of each, which other work on the machine "
        "disturbs least. 'of the baseline's size' is the paper's own comparison: against the best dense one of the "
        "baseline's width. '(no inputs)': a library's layer that can't be given the input contribution, and does less "
        "work. Packing is not in the times; the CSV beside this has it."
    )


def bench(options: BenchOptions, command: str) -> str:
    """Measures, writes the table as Markdown, CSV and LaTeX below `results`, and returns what to print.

    A run that was cut off goes on with the groups that it lacks.
    """
    options.check()
    default = BenchOptions(threads=options.threads, device=options.device, results=options.results)
    special = "" if options == default else "_" + hashlib.sha256(repr(options).encode()).hexdigest()[:6]
    threads = options.threads or torch.get_num_threads()
    slug = re.sub(r"\W+", "_", _machine(options)).strip("_").lower()
    base = paths.tables(Path(options.results)) / f"table5_{slug}_{threads}_threads{special}"
    stamp = f"{options} {threads} threads, {commit()}, {__version__}, {baselines.versions()}"
    unfinished = Unfinished(base.with_name(f".{base.name}.unfinished"), stamp)
    measurements, shapes, labels = measure(options, unfinished)
    baseline = {shape.name: shape.baseline for shape in shapes}
    paper = {shape.name: shape.paper for shape in shapes}
    sections: list[tuple[str, pd.DataFrame]] = []
    for block in options.blocks:
        own = [m for m in measurements if m.block == block]
        if own:
            sections += [
                (_TITLES[block], compared(own, labels, baseline, paper)),
                ("By type of weights, at the highest sparsity: speed-up over each kind of dense", by_type(own, labels)),
                ("Break-even sparsity of unstructured masks against the best dense one", break_even(own, labels)),
                ("Dense, for comparison", dense_times(own, labels)),
            ]
    sections = [(title, table) for title, table in sections if len(table)]
    text = caption(options, command)

    def laid_out(form: str, heading: str) -> str:
        parts = []
        for title, table in sections:
            grid = tabulate(table.values.tolist(), list(table.columns), tablefmt=form, disable_numparse=True)
            parts.append(f"{heading.format(title)}\n\n{grid}")
        return "\n\n".join(parts)

    written = {
        "md": f"{text}\n\n{laid_out('github', '## {}')}\n",
        "csv": long_form(measurements, labels).to_csv(index=False),
        "tex": "% " + text.replace("\n\n", "\n% ") + f"\n{laid_out('latex_booktabs', '% {}')}\n",
    }
    for ending, content in written.items():
        write_atomically(base.with_name(f"{base.name}.{ending}"), content.encode())
    unfinished.path.unlink(missing_ok=True)
    return f"{text}\n\n{laid_out('simple', '{}')}\n\nwritten: {base}.{{{','.join(written)}}}"
