"""`prune-rnn bench`: measures what the plan says and leaves a record, from which Table 5 is rendered."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from prune_rnn import __version__, cpu, paths
from prune_rnn.bench import archive, opponents
from prune_rnn.bench.archive import Conditions
from prune_rnn.bench.candidate import Measurement
from prune_rnn.bench.job import STAGES
from prune_rnn.bench.journal import Journal
from prune_rnn.bench.matrices import FORCED
from prune_rnn.bench.plan import BenchOptions, Plan, plan
from prune_rnn.engine import compiled
from prune_rnn.provenance import commit


def folder_of(options: BenchOptions) -> Path:
    """Returns the record's folder: one for each machine, number of threads and, unless default, set of options."""
    default = BenchOptions(threads=options.threads, device=options.device, results=options.results)
    special = "" if options == default else "_" + hashlib.sha256(repr(options).encode()).hexdigest()[:6]
    slug = re.sub(r"\W+", "_", _machine(options.device)).strip("_").lower()
    return paths.table5(Path(options.results)) / f"{slug}_{options.timing.threads}_threads{special}"


def bench(options: BenchOptions, command: str) -> Path:
    """Measures, writes the record and returns its folder; a run that was cut off goes on with the groups it lacks.

    command: as the user typed it. Raises ValueError where an option is wrong or there is nothing to measure.
    """
    options.check()
    folder, planned = folder_of(options), plan(options)
    libraries = opponents.versions(options.device)
    threads = options.timing.threads
    journal = Journal(folder / ".unfinished", f"{options} {threads} threads, {commit()}, {__version__}, {libraries}")
    labels = planned.labels
    for group in planned.groups(set(journal.groups)):
        journal.add(group)
        print(progress(group, labels[group[0].shape]), file=sys.stderr, flush=True)
    # models may have gone since a group was measured
    measured = [m for group in journal.groups.values() for m in group if m.shape in labels]
    archive.write(folder, [archive.row(m, labels[m.shape]) for m in measured], conditions(planned, command))
    journal.close()
    return folder


def conditions(planned: Plan, command: str) -> Conditions:
    """Returns the conditions of the measurements. command: as the user typed it."""
    options, sets = planned.options, compiled.instruction_sets()
    return Conditions(
        machine=_machine(options.device),
        device=options.device,
        threads=options.timing.threads,
        engine=sets[0].name if sets else None,
        version=__version__,
        commit=commit(),
        libraries=opponents.versions(options.device),
        missing=opponents.missing(options.device),
        command=command,
        rounds=options.rounds,
        seconds=options.seconds,
        load=round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        baselines=planned.baselines,
        paper=planned.paper,
    )


def progress(group: Sequence[Measurement], label: str) -> str:
    """Returns one line: the fastest dense baseline of a group and its fastest sparse way."""
    if group[0].workload == STAGES:
        ways = len({(m.candidate.name, m.candidate.sparsity) for m in group})
        return f"{STAGES}, {label}: {ways} ways, each by its stages"
    dense = min((m for m in group if m.candidate.sparsity is None), key=lambda m: m.median)
    sparse = [m for m in group if m.candidate.sparsity is not None and m.candidate.mask != FORCED]
    start = f"{group[0].workload}, {label}, {group[0].streams} stream(s)"
    line = f"{start}: fastest dense {dense.median:.1f} us ({dense.candidate.name})"
    if sparse:
        best = min(sparse, key=lambda m: m.median)
        line += f", fastest sparse {best.median:.1f} us ({best.candidate.name})"
    return line


def _machine(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return cpu.entries().get("model name") or platform.processor() or platform.machine()
