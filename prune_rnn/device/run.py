"""Runs the stages one after another, each in its own process and within its budget, and prints what each gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from prune_rnn.device.stage import DRY, FAILED, Outcome, Stage, State, stem, table
from prune_rnn.files import write_atomically
from prune_rnn.typed import Plain

Say = Callable[[str], None]
# in order of worth; 8 minutes together
STAGES = (
    Stage(1, "Tests of the kernels and of training", 150, "prune_rnn.device.suite:rows", "failed: the tests' names."),
    Stage(
        2, "Training at scale=small", 110, "prune_rnn.device.training:small",
        "The schedule of 20 epochs in 400 steps; the CPU does the first 100, for the curve. seconds a step: median "
        "without the first five; longest: after those. loss at N: mean of the ten steps up to N, in nats.",
    ),
    Stage(
        3, "Training at the paper's width", 60, "prune_rnn.device.training:paper",
        "Random batches of 5.5 s utterances, the paper's mean. hours an epoch: 2,100 h of speech at that speed.",
    ),
    Stage(
        4, "Sparse against dense: bench --device cuda", 120, "prune_rnn.device.speed:rows",
        "us: of a product, or of a step of the layer. speed-up: over the fastest dense way of its job; the paper's is "
        "over its dense baseline's size. (no inputs): does a little less than the job. Rows with sparsity are sparse.",
    ),
    Stage(
        5, "Where the time goes", 40, "prune_rnn.device.profiled:rows",
        "By torch's profiler, one call of each. times: how often the kernel ran; launch calls: of the CUDA runtime. "
        "GB/s: the packed matrix over the time, to hold against the device's memory.",
    ),
)  # fmt: skip
_PATIENCE = 4  # times the budget in a dry run: Triton's interpreter is slow, and other work may be going on


def run(stages: Sequence[Stage], folder: Path, dry: bool, machine: dict[str, str], say: Say) -> bool:
    """Runs the stages and returns whether all passed.

    Each leaves JSON, Markdown and a log in the folder, and is printed, before the next begins; the summary comes last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for stage in stages:
        say(f"stage {stage.number} begins: {stage.title}, at most {_budget(stage, dry):.0f} s")
        outcome = one(stage, folder, dry, machine)
        path = outcome.write(folder)
        say(f"\n{outcome.markdown()}\nsaved: {path}, its JSON and its log beside it\n")
        outcomes.append(outcome)
    text = summary(outcomes, machine)
    write_atomically(folder / f"{'dry-run-' if dry else ''}summary.md", text.encode())
    say(text)
    return all(outcome.state is State.passed for outcome in outcomes)


def _budget(stage: Stage, dry: bool) -> float:
    return stage.seconds * (_PATIENCE if dry else 1)


def one(stage: Stage, folder: Path, dry: bool, machine: dict[str, str]) -> Outcome:
    """Runs one stage to its end or to its budget's, and returns what was ready then."""
    base = stem(folder, stage.number, dry)
    rows, log = base.with_suffix(".rows"), base.with_suffix(".log")
    rows.unlink(missing_ok=True)
    words = [sys.executable, "-m", "prune_rnn.device.child", stage.rows, str(rows), "dry" if dry else "device"]
    start, budget = time.monotonic(), _budget(stage, dry)
    with log.open("wb") as file:
        child = subprocess.Popen(words, env=_environment(dry), stdout=file, stderr=file, start_new_session=True)
        try:
            code: int | None = child.wait(budget)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(child)
    found: list[Plain] = json.loads(rows.read_bytes()) if rows.exists() else []
    rows.unlink(missing_ok=True)
    state, reason = _judged(code, found, log)
    return Outcome(
        number=stage.number, title=stage.title, note=stage.note, dry_run=dry, state=state, reason=reason,
        machine=machine, rows=found, budget_seconds=budget, seconds=round(time.monotonic() - start, 1),
    )  # fmt: skip


def _environment(dry: bool) -> dict[str, str]:
    """Returns the child's environment: this process's modules and, in a dry run, Triton's interpreter."""
    places = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    interpreted = {"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} if dry else {}
    return {**os.environ, "PYTHONPATH": places, "PYTHONUNBUFFERED": "1", **interpreted}


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child and all that it started."""
    with suppress(ProcessLookupError):  # all have ended
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _judged(code: int | None, rows: Sequence[Plain], log: Path) -> tuple[State, str]:
    """Returns how a stage ended, and why where it did not pass. code: the exit status; None: it was stopped."""
    if code is None:
        ready = f"{len(rows)} row(s) were ready; the rest is skipped"
        return State.stopped, ready
    if code:
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return State.failed, f"exit status {code}: {last[0]}"
    wrong = [str(row[FAILED]) for row in rows if row.get(FAILED)]
    return (State.failed, "; ".join(wrong)) if wrong else (State.passed, "")


def summary(outcomes: Sequence[Outcome], machine: dict[str, str]) -> str:
    """Returns the last table: a row a stage."""
    rows: list[Plain] = [
        {
            "stage": f"{each.number} {each.title}",
            "result": each.state.value,
            "seconds": f"{each.seconds:.0f} of {each.budget_seconds:.0f}",
            "rows": len(each.rows),
            "why": each.reason or None,
        }
        for each in outcomes
    ]
    dry = any(each.dry_run for each in outcomes)
    title = f"# Summary\n\n{f'**{DRY}.**' if dry else 'On a CUDA device.'}"
    return f"{title}\n\n{', '.join(f'{name} {value}' for name, value in machine.items())}\n\n{table(rows)}\n"
