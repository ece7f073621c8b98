"""Finished runs compared on the same test utterances: error rates, intervals, and the utterances that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

    changes: of each utterance, the run's edits less those of the first run.
    """

    run: Finished
    utterances: list[Utterance]
    relative: float | None
    interval: Interval | None
    changes: list[int]
    by: str  # what the interval is drawn by, or why there is none


def between(folders: Sequence[Path]) -> tuple[Finished, list[Utterance], list[Between]]:
    """Returns the first run with its test utterances, and each other run against it.

    ValueError where a folder holds no finished run, or runs were tested on different utterances.
    """
    (first, utterances, base), *others = map(_tested, folders)
    for folder, (*_, edits) in zip(folders[1:], others, strict=True):
        if edits.references != base.references:
            raise ValueError(
                f"{folder} and {folders[0]} were not tested on the same utterances; leave one out, or decode one "
                "manifest with both by `prune-rnn evaluate RUN MANIFEST`"
            )
    return first, utterances, [_against(first, base, *other) for other in others]


def _tested(folder: Path) -> tuple[Finished, list[Utterance], Edits]:
    if not Run(folder).finished:
        raise ValueError(f"{folder} holds no finished run; give its folder below results/runs")
    run, utterances = read(Run(folder)), hypotheses.read(folder)
    edits = run.edits()
    if utterances is None or edits is None:
        raise ValueError(f"{folder} has no hypotheses; train it again with this version")
    return run, utterances, edits


def _against(first: Finished, base: Edits, run: Finished, utterances: list[Utterance], own: Edits) -> Between:
    try:
        interval, by = relative_interval({0: base}, {0: own}, None), "speakers" if base.speakers else "utterances"
    except ValueError as error:
        interval, by = None, f"no interval: {error}"
    performance = relative(first.cer, run.cer) if first.cer else None
    return Between(run, utterances, performance, interval, np.subtract(own.counts, base.counts).tolist(), by)


def compare(folders: Sequence[Path], shown: int) -> str:
    """Returns a table of the runs and the utterances that changed most.

    shown: the greatest number of better utterances, and of worse ones, for each run after the first.
    """
    first, utterances, others = between(folders)
    head = ["run", "CER %", "WER %", "relative % (95 %)", "better", "worse", "same"]
    rows = [[first.name, *_rates(first), "baseline", "", "", ""]]
    for other in others:
        signs = np.sign(other.changes).tolist()
        counts = [str(signs.count(sign)) for sign in (-1, 1, 0)]
        rows.append([other.run.name, *_rates(other.run), _relative(other), *counts])
    align = ("left", "right", "right", "left", "right", "right", "right")
    text = tabulate(rows, head, disable_numparse=True, colalign=align)
    drawn = " or ".join(dict.fromkeys(other.by for other in others))
    text += f"\n\nIntervals are over {drawn} of the test split, for these runs: other seeds are not in them."
    for other in others:
        order = sorted(range(len(utterances)), key=other.changes.__getitem__)
        for title, numbers, sign in (("better", order, -1), ("worse", order[::-1], 1)):
            changed = [number for number in numbers[:shown] if sign * other.changes[number] > 0]
            for number in changed:
                text += f"\n\n{other.run.name}, {title}: {_utterance(utterances[number], other, number)}"
    return text


def _rates(run: Finished) -> tuple[str, str]:
    return f"{100 * run.cer:.2f}", f"{100 * run.result.test.wer.rate:.2f}"


def _relative(other: Between) -> str:
    if other.relative is None:
        return "of no error"
    ends = other.interval and f" ({100 * other.interval.low:+z.1f} to {100 * other.interval.high:+z.1f})"
    return f"{100 * other.relative:+z.1f}{ends or ''}"


def _utterance(first: Utterance, other: Between, number: int) -> str:
    edits, here = abs(other.changes[number]), other.utterances[number].hypothesis
    return f"{edits} edits\n  said   {first.reference}\n  first  {first.hypothesis}\n  here   {here}"
