"""The paper's Table 3: character error rate, relative performance, parameters, sparsity; and its rows in pairs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from prune_rnn import paths
from prune_rnn.analyse.agreement import agree
from prune_rnn.analyse.comparison import EditsOf, Line, by_voices, compare, compare_pairs, problems, versus
from prune_rnn.analyse.interval import Spread
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.rows import Library, Row, beside_baselines
from prune_rnn.analyse.speed import Speeds, best
from prune_rnn.config.config import Config
from prune_rnn.report import pairs
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import between, percent, speakers_only, without_runs
from prune_rnn.report.findings import findings


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, and its pairs of rows where there are any."""
    rows, warnings = agree(library.rows(layout.rows))
    edits, spread, shared = library.edits(rows), library.spread(rows), library.shared
    compared = [(row.names, base.names) for row, base in beside_baselines(rows) if row is not base]
    speeds = best(paths.table5(Path(shared.results)), compared)
    lines, missing_intervals = compare(rows, edits, spread, speeds)
    notes = [f"Warning: {each}" for each in warnings]
    notes += [*speakers_only(line.interval for line in lines), *missing_intervals]
    if shared.data.name == "synthetic":
        notes += _voices(rows, edits, spread)
    notes += [_measured(speeds)] if speeds else []
    made = replace(
        table(name, shared, lines, layout.title or name),
        notes=notes, missing=without_runs(rows), findings=findings(rows, lines),
    )  # fmt: skip
    if not (found := compare_pairs(rows, layout.pairs, edits, spread)):
        return [made]
    title = f"Table 3's rows in pairs at scale={shared.scale.name}"
    cells, name = [pairs.cells(pair) for pair in found], f"{name}_pairs"
    return [made, Table(name=name, title=title, caption=pairs.HOW, rows=cells, notes=problems(found))]


def _voices(rows: Sequence[Row], edits: EditsOf, spread: Spread | None) -> list[str]:
    """Returns a note on how much wider the intervals of synthetic speech are over its voices."""
    voices = by_voices(edits)
    found = [
        (versus(row, other, edits, spread).interval, versus(row, other, voices, spread).interval)
        for row, other in permutations(rows, 2)
        if row.family == other.family and voices.keys() >= {*row.names, *other.names}
    ]
    ratios = [(over.high - over.low) / (own.high - own.low) for own, over in found if own and over]
    if not ratios:
        return []
    count = len(set(next(iter(voices.values())).speakers))
    return [
        f"The test split has {count} voices, each in several accents. Over voices instead of speakers "
        f"the intervals are {statistics.median(ratios):.1f} times as wide (median): they hold for speakers like these, "
        "and say little about other voices."
    ]


def _measured(speeds: Speeds) -> str:
    """Returns where the speed-ups were measured."""
    its = speeds.conditions
    return (
        "Speed-up: of the middle recurrent layer, and of the whole network from features to characters, of the first "
        "seed. Each network runs in its fastest way and type of weights (mostly int8). Medians on "
        f"{its.machine}, {its.threads} threads, {its.engine or 'no engine'} (table5/{speeds.folder}). Features and "
        "convolutions stay dense and take much of a small network's time; Table 5 has the paper's widths."
    )


def table(name: str, shared: Config, lines: Sequence[Line], title: str) -> Table:
    """Returns the table alone, a row a line. shared: the configuration in common."""
    title = f"{title} at scale={shared.scale.name}"
    return Table(name=name, title=title, caption=_caption(shared, lines), rows=[_row(line) for line in lines])


def _row(line: Line) -> dict[str, str]:
    deviation = "" if line.cer_deviation is None else f" ± {100 * line.cer_deviation:.2f}"
    paper = {
        key: None if line.paper.get(key) is None else round(line.paper[key] / 100, 6) for key in ("cer", "relative")
    }
    return {
        "Model": Cell(line.label, model=line.label),
        "Seeds": Cell(", ".join(map(str, line.seeds)) or DASH, seeds=" ".join(map(str, line.seeds))),
        "CER %": Cell(percent(line.cer, "") + deviation, cer=line.cer, cer_deviation=line.cer_deviation),
        "Relative %": percent(line.relative, "relative", "+.2f"),
        "95 % interval": between(line.interval),
        "Paper's CER %": percent(paper["cer"], "paper_cer"),
        "Paper's relative %": percent(paper["relative"], "paper_relative", "+.2f"),
        "WER %": percent(line.wer, "wer"),
        "Units": number(line.units, "", "units"),
        # CSV has further values, for which the page has no room
        "Parameters": Cell(
            number(line.parameters, ",.0f"), parameters=line.parameters, paper_parameters=line.paper.get("parameters")
        ),
        "Not zero": number(line.nonzero, ",.0f", "nonzero"),
        "Sparsity %": Cell(
            percent(line.sparsity, "", ".1f"), sparsity=line.sparsity, sparsity_recurrent=line.sparsity_recurrent
        ),
        "Bytes": number(line.bytes, ",.0f", "bytes"),
        "Layer speed-up": number(line.layer_speed, ".1f", "layer_speed"),
        "Network speed-up": number(line.network_speed, ".1f", "network_speed"),
    }


def _caption(shared: Config, lines: Sequence[Line]) -> str:
    """Returns what the columns mean, with the data, the training and the seeds."""
    data, train = shared.data, shared.train
    steps = f" of {train.steps_per_epoch} steps of {train.batch_size} utterances" if train.steps_per_epoch else ""
    seeds = sorted({seed for line in lines for seed in line.seeds})
    return (
        f"Trained on {data.describe()}, {train.epochs} epochs{steps}; CER "
        f"and WER of the test split, mean over seeds ({', '.join(map(str, seeds)) or 'none yet'}), CER ± standard "
        "deviation. Relative: (baseline - CER) / baseline, the baseline being the first row of the family. "
        "The interval, 95 %, is over seeds, whose spread is pooled over all settings that were trained alike, and over "
        "the speakers of the test split (or utterances, where a manifest names none). "
        "Not zero: parameters that pruning leaves. Sparsity: of all parameters. "
        "Bytes: of the packed file in float32, mean over seeds. Speed-up: over the baseline, "
        "for one stream. The paper's columns: 2100 h of speech, at its own scale."
    )
