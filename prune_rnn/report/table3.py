"""The paper's Table 3: character error rate, relative performance, parameters, sparsity; and its rows in pairs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prune_rnn import paths
from prune_rnn.analyse.agreement import agree
from prune_rnn.analyse.comparison import Line, compare, versus
from prune_rnn.analyse.hypotheses import by_voice
from prune_rnn.analyse.interval import Spread
from prune_rnn.analyse.layout import Layout
from prune_rnn.analyse.pairs import compare_pairs
from prune_rnn.analyse.rows import Library, Row, beside_baselines
from prune_rnn.analyse.speed import Speeds, best
from prune_rnn.config.config import Config
from prune_rnn.report import pairs
from prune_rnn.report.base import DASH, Cell, Table, number
from prune_rnn.report.cells import NOTE_SPEAKERS_ONLY, between, percent
from prune_rnn.report.findings import findings

INTERVALS = (
    "The interval, 95 %, is over seeds, whose spread is pooled over all settings that were trained alike, and over the "
    "speakers of the test split (or utterances, where a manifest names none)."
)


def tables(name: str, layout: Layout, library: Library) -> list[Table]:
    """Returns the table, and its pairs of rows where there are any."""
    rows, warnings = agree(library.rows(layout.rows))
    edits = library.heard(rows)
    spread = library.spread(rows)
    pairs_of_runs = [(row.names, base.names) for row, base in beside_baselines(rows) if row is not base]
    speeds = best(paths.table5(Path(library.shared.results)), pairs_of_runs)
    lines, notes = compare(rows, edits, spread, speeds)
    found, unpaired = compare_pairs(rows, layout.pairs, edits, spread)
    speakers_only = any(line.interval and not line.interval.over_seeds for line in lines)
    notes = [*(f"Warning: {each}" for each in warnings), *([NOTE_SPEAKERS_ONLY] if speakers_only else []), *notes]
    notes += [*_voices(rows, library, spread), *([_measured(speeds)] if speeds else [])]
    missing = [(row.label, row.command) for row in rows if not row.runs]
    made = table(name, library.shared, lines, notes, missing, title=layout.title or name)
    made = replace(made, findings=findings(rows, lines))
    title = f"Table 3's rows in pairs at scale={library.shared.scale.name}"
    return [made] + ([pairs.table(f"{name}_pairs", title, found, unpaired)] if found else [])


def _voices(rows: Sequence[Row], library: Library, spread: Spread | None) -> list[str]:
    """Returns a note on how much wider the intervals of synthetic speech are over its voices."""
    if library.shared.data.name != "synthetic":
        return []
    edits = library.heard(rows)
    voices = {name: by_voice(its) for name, its in edits.items() if its is not None and its.speakers}
    pairs = [(row, other) for row in rows for other in rows if other is not row and other.family == row.family]
    found = [
        (versus(*pair, edits, spread).interval, versus(*pair, voices, spread).interval)
        for pair in pairs
        if all(run.name in voices for row in pair for run in row.runs)
    ]
    ratios = [(over.high - over.low) / (own.high - own.low) for own, over in found if own and over]
    if not ratios:
        return []
    its = next(iter(voices.values()))
    return [
        f"The test split has {len(set(its.speakers))} voices, each in several accents. Over voices instead of speakers "
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


def table(
    name: str,
    shared: Config,
    lines: Sequence[Line],
    notes: Sequence[str] = (),
    missing: Sequence[tuple[str, str]] = (),
    *,
    title: str = "Table 3",
) -> Table:
    """Returns the table, a row a model."""
    return Table(
        name=name,
        title=f"{title} at scale={shared.scale.name}",
        caption=_caption(shared, lines),
        rows=[_row(line) for line in lines],
        notes=notes,
        missing=missing,
    )


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
        # what the page has no room for is in CSV
        "Parameters": Cell(
            number(line.parameters, ",.0f"),
            parameters=line.parameters,
            paper_parameters=line.paper.get("parameters"),
        ),
        "Not zero": number(line.nonzero, ",.0f", "nonzero"),
        "Sparsity %": Cell(
            percent(line.sparsity, "", ".1f"),
            sparsity=line.sparsity,
            sparsity_recurrent=line.sparsity_recurrent,
        ),
        "Bytes": number(line.bytes, ",.0f", "bytes"),
        "Layer speed-up": number(line.layer_speed, ".1f", "layer_speed"),
        "Network speed-up": number(line.network_speed, ".1f", "network_speed"),
    }


def _caption(shared: Config, lines: Sequence[Line]) -> str:
    """Returns what the table shows and at which scale; every number stands beside its scale."""
    data, train = shared.data, shared.train
    steps = f" of {train.steps_per_epoch} steps of {train.batch_size} utterances" if train.steps_per_epoch else ""
    seeds = sorted({seed for line in lines for seed in line.seeds})
    return (
        f"Trained on {data.describe()}, {train.epochs} epochs{steps}; CER "
        f"and WER of the test split, mean over seeds ({', '.join(map(str, seeds)) or 'none yet'}), CER ± standard "
        "deviation. Relative: (baseline - CER) / baseline, the baseline being the first row of the family. "
        f"{INTERVALS} Not zero: parameters that pruning leaves. Sparsity: of all parameters. "
        "Bytes: of the packed file in float32, mean over seeds. Speed-up: over the baseline, "
        "for one stream. The paper's columns: 2100 h of speech, at its own scale."
    )
