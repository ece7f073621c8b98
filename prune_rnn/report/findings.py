"""Table 3 in sentences: the cost of pruning, the gain of bigger networks, and disagreements with the paper."""

from __future__ import annotations

from collections.abc import Sequence

from prune_rnn.analyse.comparison import Line
from prune_rnn.analyse.rows import Row


def findings(rows: Sequence[Row], lines: Sequence[Line]) -> list[str]:
    """Returns up to three sentences.

    rows, lines: of the table, in the same order. A family's first row is its baseline.
    """
    baselines: dict[str, Line] = {}
    sparse: dict[str, list[Line]] = {}
    outside = []
    for row, line in zip(rows, lines, strict=True):
        baseline = baselines.setdefault(row.family, line)
        if line is baseline or line.relative is None or line.interval is None:
            continue
        if row.sparse:
            sparse.setdefault(row.family, []).append(line)
        paper = line.paper.get("relative")
        if paper is not None and not line.interval.low <= paper / 100 <= line.interval.high:
            outside.append(f"{line.label} ({100 * line.relative:+.0f} %, the paper {paper:+.0f} %)")
    first = [f"{line.label}, {_percent(line.sparsity)} sparse: {_errors(line)}" for line, *_ in sparse.values()]
    last = [
        f"{line.label}, {_percent(line.nonzero, baselines[family].nonzero)} of the baseline's weights: {_errors(line)}"
        + _size_and_speed(line, baselines[family])
        for family, (_, *others) in sparse.items()
        for line in others[-1:]
    ]
    sentences = [
        ("Against the dense baseline", "; ".join(first)),
        ("Bigger networks", "; ".join(last)),
        ("The paper's value lies outside the interval", ", ".join(outside)),
    ]
    return [f"{head}: {text}." for head, text in sentences if text]


def _percent(part: float | None, whole: float | None = 1.0) -> str:
    assert part is not None and whole is not None  # known of rows with runs
    return f"{100 * part / whole:.0f} %"


def _size_and_speed(line: Line, baseline: Line) -> str:
    """Returns the size of the packed file and the speed-up of the whole network, where they are known."""
    known = []
    if line.bytes and baseline.bytes:
        known.append(f"{_percent(line.bytes, baseline.bytes)} of its float32 file")
    if line.network_speed is not None:
        known.append(f"{line.network_speed:.1f} times as fast, each in its fastest type")
    return "".join(f", {each}" for each in known)


def _errors(line: Line) -> str:
    """Returns how the errors compare, with the interval: no difference is shown where it includes zero."""
    assert line.relative is not None and line.interval is not None
    if line.interval.includes_zero:
        return f"no difference shown ({100 * line.interval.low:+.0f} to {100 * line.interval.high:+.0f} %)"
    low, high = sorted(100 * abs(end) for end in (line.interval.low, line.interval.high))
    more = "more" if line.relative < 0 else "fewer"
    return f"{100 * abs(line.relative):.0f} % {more} character errors ({low:.0f} to {high:.0f})"
