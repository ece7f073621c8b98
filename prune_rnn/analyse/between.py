"""Two finished runs or more on the same test utterances: how far apart, how sure, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tabulate import tabulate

from prune_rnn.analyse import hypotheses
from prune_rnn.analyse.comparison import relative
from prune_rnn.analyse.finished import Finished, read
from prune_rnn.analyse.hypotheses import Edits, Utterance
from prune_rnn.analyse.interval import Interval, relative_interval
from prune_rnn.run.store import Run


@dataclass(frozen=True, slots=True)
class Between:
    """A run against the first one. relative, interval: of its CER, positive where better; None where there is none.

    changes: its edits less the first's, of each utterance.
    """

    run: Finished
    heard: list[Utterance]
    relative: float | None
    interval: Interval | None
    changes: list[int]
    by: str  # what the interval is drawn by, or why there is none


def between(folders: Sequence[Path]) -> tuple[Finished, list[Utterance], list[Between]]:
    """Returns the first run with what it recognised, and each other one against it.

    ValueError where a folder holds no finished run, or runs were tested on different utterances.
    """
    runs: list[Finished] = []
    heard: list[list[Utterance]] = []
    edits: list[Edits] = []
    for folder in folders:
        run = Run(folder)
        if not run.finished:
            raise ValueError(f"{folder} holds no finished run; give its folder below results/runs")
        found, utterances = read(run), hypotheses.read(folder)
        own = found.edits()
        if utterances is None or own is None:
            raise ValueError(f"{folder} keeps no hypotheses; train it again with this version")
        if edits and own.references != edits[0].references:
            raise ValueError(
                f"{folder} and {folders[0]} were not tested on the same utterances; leave one out, or decode one "
                "manifest with both by `prune-rnn evaluate RUN MANIFEST`"
            )
        runs, heard, edits = [*runs, found], [*heard, utterances], [*edits, own]
    others = zip(runs[1:], heard[1:], edits[1:], strict=True)
    return runs[0], heard[0], [_against(runs[0], edits[0], *other) for other in others]


def _against(first: Finished, base: Edits, run: Finished, heard: list[Utterance], own: Edits) -> Between:
    by = "speakers"
    if len(set(base.speakers)) < 2:
        base, own, by = replace(base, speakers=()), replace(own, speakers=()), "utterances"
    try:
        interval = relative_interval({0: base}, {0: own}, None)
    except ValueError as error:
        interval, by = None, f"no interval: {error}"
    performance = relative(first.cer, run.cer) if first.cer else None
    return Between(run, heard, performance, interval, np.subtract(own.counts, base.counts).tolist(), by)


def compare(folders: Sequence[Path], shown: int) -> str:
    """Returns a table of the runs, and of each the utterances that changed most, so many each way."""
    first, heard, others = between(folders)
    head = ["run", "CER %", "WER %", "relative % (95 %)", "better", "worse", "same"]
    rows = [[first.name, *_rates(first), "baseline", "", "", ""]]
    for other in others:
        counts = [sum(map(test, other.changes)) for test in (lambda c: c < 0, lambda c: c > 0, lambda c: c == 0)]
        rows.append([other.run.name, *_rates(other.run), _relative(other), *map(str, counts)])
    align = ("left", "right", "right", "left", "right", "right", "right")
    text = tabulate(rows, head, disable_numparse=True, colalign=align)
    drawn = dict.fromkeys(other.by for other in others)
    text += (
        f"\n\nIntervals are over {' or '.join(drawn)} of the test split, for these runs: other seeds are not in them."
    )
    for other in others:
        order = sorted(range(len(heard)), key=lambda place: other.changes[place])
        for title, places in (("better", order[:shown]), ("worse", order[::-1][:shown])):
            sign = -1 if title == "better" else 1
            lines = [_utterance(heard, other, place) for place in places if other.changes[place] * sign > 0]
            text += "".join(f"\n\n{other.run.name}, {title}: {line}" for line in lines)
    return text


def _rates(run: Finished) -> tuple[str, str]:
    return f"{100 * run.cer:.2f}", f"{100 * run.result.test.wer.rate:.2f}"


def _relative(other: Between) -> str:
    if other.relative is None:
        return "of no error"
    ends = other.interval and f" ({100 * other.interval.low:+.1f} to {100 * other.interval.high:+.1f})"
    return f"{100 * other.relative:+.1f}{ends or ''}"


def _utterance(heard: Sequence[Utterance], other: Between, place: int) -> str:
    said, before, now = heard[place].reference, heard[place].hypothesis, other.heard[place].hypothesis
    return f"{abs(other.changes[place])} edits\n  said   {said}\n  first  {before}\n  here   {now}"
