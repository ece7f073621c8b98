"""Averages are over runs that differ in model and seed only; other runs are left out and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.rows import Row
from prune_rnn.prune.q import CALIBRATED, ESTIMATE, GIVEN

CONDITIONS = ("processes", "precision", "prune-rnn", "torch", "device")  # of all runs; pruned ones have a q besides
UNKNOWN = "not recorded"


def conditions(run: Finished) -> dict[str, str]:
    """Returns what averaged runs must have in common, besides the settings that name them."""
    result = run.result
    return {
        "q source": _q_kind(result.q_source),
        "q": ", ".join(f"{layer_type} {value:g}" for layer_type, value in sorted((result.q or {}).items())) or "none",
        "processes": result.processes_in_words(),
        "precision": run.precision,
        "prune-rnn": result.versions.get("prune-rnn", UNKNOWN),
        "torch": result.versions.get("torch", UNKNOWN),
        "device": "CPU" if result.on_cpu else "GPU",
    }


def _q_kind(source: str | None) -> str:
    if not source:
        return "none"
    return source if source in (GIVEN, CALIBRATED, ESTIMATE) else "dense run"


def differences(runs: Iterable[Finished], keys: Sequence[str]) -> str:
    """Returns the keys that differ, with each value and the folders that have it; empty where all agree."""
    named = [(run.name, conditions(run)) for run in runs]
    parts = []
    for key in keys:
        values: dict[str, list[str]] = {}
        for name, its in named:
            values.setdefault(its[key], []).append(name)
        if len(values) > 1:
            parts.append(f"{key}: " + ", ".join(f"{value} ({', '.join(names)})" for value, names in values.items()))
    return "; ".join(parts)


def unlike(pairs: Iterable[tuple[Row, Row]]) -> list[str]:
    """Returns a sentence for each condition that differs between a row and the row it is compared with.

    Rows that differ alike from the same row share a sentence.
    """
    rows: dict[tuple[str, str], dict[str, None]] = {}
    for row, other in pairs:
        for key in CONDITIONS:
            own, its = (", ".join(dict.fromkeys(conditions(run)[key] for run in each.runs)) for each in (row, other))
            if own and its and own != its:
                rows.setdefault((other.label, f"{key} ({own}, there {its})"), {})[row.label] = None
    return [
        f"These differ from {label} in {difference}, and the relative performance may be due to that: "
        f"{'; '.join(labels)}."
        for (label, difference), labels in rows.items()
    ]


def largest(runs: Sequence[Finished], baseline: Sequence[Finished] = ()) -> list[Finished]:
    """Returns the largest group of runs under equal conditions, in the given order.

    Of equally large groups: the one under the baseline's conditions, else the one with the lowest seed.
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
    """Returns the rows with the runs that can be averaged, and a warning for each difference.

    A row keeps the largest group of its runs under equal conditions. It is compared with its family's first row, the
    baseline, whatever the conditions of the two. Pruned rows may have thresholds from different sources.
    """
    agreeing: list[Row] = []
    warnings: list[str] = []
    baselines: dict[str, Row] = {}
    compared: list[tuple[Row, Row]] = []
    for row in rows:
        baseline = baselines.get(row.family)
        group = largest(row.runs, baseline.runs if baseline else ())
        own = replace(row, runs=group)
        agreeing.append(own)
        baselines.setdefault(row.family, own)
        if len(group) < len(row.runs):
            differing = differences(row.runs, list(conditions(group[0])))
            left_out = ", ".join(run.name for run in row.runs if run not in group)
            warnings.append(f"{row.label}: its runs differ in {differing}. Left out: {left_out}.")
        if outdated := [run.name for run in group if run.name in row.outdated]:
            warnings.append(
                f"{row.label}: {', '.join(outdated)} used the q that prune.q=baseline gave at the time; the dense run "
                "that exists now gives another q. Train again to use it."
            )
        if baseline:
            seeds, others = (sorted(run.seed for run in each.runs) for each in (own, baseline))
            if seeds and others and seeds != others:
                warnings.append(
                    f"{row.label} has the seeds {', '.join(map(str, seeds))} and its baseline {baseline.label} has "
                    f"{', '.join(map(str, others))}: the relative performance compares means over different seeds."
                )
            compared.append((own, baseline))
    warnings += unlike(compared)
    for family in baselines:
        pruned = [run for row in agreeing if row.family == family and row.sparse for run in row.runs]
        if differing := differences(pruned, ["q source"]):
            warnings.append(f"The pruned {family.upper()} rows have thresholds from different sources, {differing}.")
    return agreeing, warnings
