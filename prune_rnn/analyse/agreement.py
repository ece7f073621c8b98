"""Runs that differ in more than model and seed are kept apart, never averaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.rows import Row
from prune_rnn.prune.q import CALIBRATED, ESTIMATE, GIVEN

CONDITIONS = ("processes", "precision", "prune-rnn", "torch", "device")  # of all runs; pruned ones have a q besides
UNKNOWN = "not recorded"


def conditions(run: Finished) -> dict[str, str]:
    """Returns what runs that are averaged must have in common, besides the settings that name them."""
    result = run.result
    q, versions = result.q, result.versions
    of_all = (
        result.processes_in_words(),
        run.precision,
        versions.get("prune-rnn", UNKNOWN),
        versions.get("torch", UNKNOWN),
        "CPU" if result.on_cpu else "GPU",
    )
    return {
        "q source": _q_kind(result.q_source),
        "q": "none" if not q else ", ".join(f"{layer_type} {value:g}" for layer_type, value in sorted(q.items())),
        **dict(zip(CONDITIONS, of_all, strict=True)),
    }


def _listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(seeds))) or "none"


def _q_kind(source: str | None) -> str:
    if not source:
        return "none"
    return source if source in (GIVEN, CALIBRATED, ESTIMATE) else "dense run"


def differences(runs: Iterable[Finished], keys: Sequence[str]) -> str:
    """Returns which keys differ, with each value and the folders that have it; empty where all agree."""
    every = [(run.name, conditions(run)) for run in runs]
    parts = []
    for key in keys:
        values: dict[str, list[str]] = {}
        for name, its in every:
            values.setdefault(its[key], []).append(name)
        if len(values) > 1:
            parts.append(f"{key}: " + ", ".join(f"{value} ({', '.join(names)})" for value, names in values.items()))
    return "; ".join(parts)


def unlike(row: Row, other: Row) -> str:
    """Returns in which conditions the runs of two rows differ, as a sentence; empty where all agree."""
    found = differences([*row.runs, *other.runs], CONDITIONS)
    text = f"{row.label} and {other.label} differ in {found}: the relative performance may be due to that."
    return text if found else ""


def largest(runs: Sequence[Finished], baseline: Sequence[Finished] = ()) -> list[Finished]:
    """Returns the largest group of runs under equal conditions, in the given order.

    Of groups as large, the one under the baseline's conditions, then the one of the lowest seed.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Finished]] = {}
    for run in runs:
        groups.setdefault(tuple(conditions(run).items()), []).append(run)
    wanted = _without_q(baseline[0]) if baseline else None

    def order(group: list[Finished]) -> tuple[int, bool, int]:
        return -len(group), _without_q(group[0]) != wanted, min(run.seed for run in group)

    return min(groups.values(), key=order) if groups else []


def _without_q(run: Finished) -> dict[str, str]:
    own = conditions(run)
    return {key: own[key] for key in CONDITIONS}


def agree(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Returns the rows with the runs that can be averaged, and a warning for whatever differs.

    Within a row only the largest group of equal conditions stays. A row under other conditions than its family's
    baseline (the first row) keeps its relative performance, with a warning; so do pruned rows whose q came about in
    different ways.
    """
    kept: list[Row] = []
    warnings: list[str] = []
    for row in rows:
        baseline = next((other for other in kept if other.family == row.family), None)
        group = largest(row.runs, baseline.runs if baseline else ())
        if len(group) < len(row.runs):
            differing = differences(row.runs, list(conditions(group[0])))
            left_out = ", ".join(run.name for run in row.runs if run not in group)
            warnings.append(f"{row.label}: its runs differ in {differing}. Left out: {left_out}.")
        if outdated := [run.name for run in group if run.name in row.outdated]:
            warnings.append(
                f"{row.label}: {', '.join(outdated)} used the q that prune.q=baseline gave at the time; the dense run "
                "that exists now gives another q. Train again to use it."
            )
        if baseline and baseline.runs and group:
            seeds, others = ([run.seed for run in runs] for runs in (group, baseline.runs))
            if set(seeds) != set(others):
                warnings.append(
                    f"{row.label} has the seeds {_listed(seeds)} and {baseline.label}, which it is compared with, "
                    f"{_listed(others)}: the relative performance compares means over different seeds."
                )
            differing = differences([baseline.runs[0], group[0]], CONDITIONS)
            if differing:
                warnings.append(
                    f"{row.label} and {baseline.label}, which it is compared with, differ in {differing}: "
                    "the relative performance may be due to that."
                )
        kept.append(replace(row, runs=group))
    for family in dict.fromkeys(row.family for row in kept):
        pruned = [run for row in kept if row.family == family and row.sparse for run in row.runs]
        differing = differences(pruned, ["q source"])
        if differing:
            warnings.append(
                f"The pruned {family.upper()} rows have their thresholds from different sources, {differing}."
            )
    return kept, warnings
