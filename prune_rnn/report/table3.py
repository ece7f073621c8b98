"""The paper's Table 3 laid out: character error rate, relative performance, parameters, sparsity."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from prune_rnn.analyse.bootstrap import Interval
from prune_rnn.analyse.comparison import Line, relative
from prune_rnn.analyse.pairs import Pair
from prune_rnn.analyse.rows import Row
from prune_rnn.config import Config

_DASH = "-"
_SIZES = "Units"  # the first column that tells of size instead of error
_ONE_SEED = "†"
PAIRS = "Rows against each other: (CER of the second - CER of the first) / CER of the second, over the seeds of both."
NOTE_ONE_SEED = f"{_ONE_SEED} One seed: the interval is over speakers only, and says nothing about other seeds."


def _percent(value: float | None, form: str = ".2f") -> str:
    return _DASH if value is None else format(100 * value, form)


def between(interval: Interval | None, form: str = "+.2f") -> str:
    """Returns the ends in percent, and a mark where zero lies between them or one seed is all there is."""
    if interval is None:
        return _DASH
    ends = f"[{_percent(interval.low, form)}, {_percent(interval.high, form)}]"
    ends += ", includes 0" if interval.includes_zero else ""
    return f"{ends} {_ONE_SEED}" if len(interval.seeds) == 1 else ends


def printed(lines: Sequence[Line]) -> pd.DataFrame:
    """Returns the table as printed, one row per model, every cell a string."""
    cells = []
    for line in lines:
        deviation = "" if line.cer_deviation is None else f" ± {_percent(line.cer_deviation)}"
        cells.append(
            {
                "Model": line.label,
                "Seeds": ", ".join(map(str, line.seeds)) or _DASH,
                "CER %": f"{_percent(line.cer)}{deviation}",
                "Relative %": _percent(line.relative, "+.2f"),
                "95 % interval": between(line.interval),
                "Paper's CER %": f"{line.paper['cer']:.2f}" if line.paper else _DASH,
                "Paper's relative %": f"{line.paper['relative']:+.2f}" if line.paper else _DASH,
                "WER %": _percent(line.wer),
                _SIZES: f"{line.units}",
                "Parameters": _DASH if line.parameters is None else f"{line.parameters:,.0f}",
                "Not zero": _DASH if line.nonzero is None else f"{line.nonzero:,.0f}",
                "Paper's parameters": line.paper.get("parameters", _DASH),
                "Sparsity %": _percent(line.sparsity, ".1f"),
                "Recurrent %": _percent(line.sparsity_recurrent, ".1f"),
                "Minutes": _DASH if line.minutes is None else f"{line.minutes:.1f}",
            }
        )
    return pd.DataFrame(cells)


def numbers(lines: Sequence[Line]) -> pd.DataFrame:
    """Returns the same to compute with: fractions instead of percent, an empty cell where there is nothing."""
    return pd.DataFrame(
        {
            "model": line.label,
            "units": line.units,
            "seeds": " ".join(map(str, line.seeds)),
            "cer": line.cer,
            "cer_deviation": line.cer_deviation,
            "wer": line.wer,
            "relative": line.relative,
            "relative_low": line.interval and line.interval.low,
            "relative_high": line.interval and line.interval.high,
            "interval_seeds": " ".join(map(str, line.interval.seeds)) if line.interval else None,
            "parameters": line.parameters,
            "nonzero": line.nonzero,
            "sparsity": line.sparsity,
            "sparsity_recurrent": line.sparsity_recurrent,
            "train_minutes": line.minutes,
            "paper_cer": round(line.paper["cer"] / 100, 6) if line.paper else None,
            "paper_parameters": line.paper.get("parameters"),
            "paper_relative": round(line.paper["relative"] / 100, 6) if line.paper else None,
        }
        for line in lines
    )


def caption(shared: Config, lines: Sequence[Line]) -> str:
    """Returns what the table shows and at which scale; every number stands beside its scale."""
    data, train = shared.data, shared.train
    steps = f" of {train.steps_per_epoch} steps of {train.batch_size} utterances" if train.steps_per_epoch else ""
    seeds = sorted({seed for line in lines for seed in line.seeds})
    return (
        f"Table 3 at scale={shared.scale.name}: trained on {data.describe()}, {train.epochs} epochs{steps}; CER "
        f"and WER of the test split, mean over seeds ({', '.join(map(str, seeds)) or 'none yet'}), CER ± standard "
        "deviation. Relative: (baseline - CER) / baseline, the baseline being the first row of the family, over the "
        "seeds of both; its interval by a paired bootstrap over seeds and speakers (or utterances, where a manifest "
        "names no speakers), which a handful of seeds and voices makes too narrow. Not zero: parameters that pruning "
        "leaves. Sparsity: of all parameters, and of the recurrent layers'. Minutes: of training. The paper's columns: "
        "2100 h of speech, at its own scale."
    )


def laid_out(table: pd.DataFrame, form: str) -> str:
    """Returns the table in one of tabulate's formats."""
    return tabulate(table.values.tolist(), list(table.columns), tablefmt=form, disable_numparse=True)


def for_terminal(table: pd.DataFrame) -> str:
    """Returns the table in two parts, errors and sizes, so that lines stay short."""
    sizes = list(table).index(_SIZES)
    parts = table.iloc[:, :sizes], table.iloc[:, [0, *range(sizes, table.shape[1])]]
    return "\n\n".join(laid_out(part, "simple") for part in parts)


def printed_pairs(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Returns the pairs as printed, every cell a string."""
    cells = []
    for pair in pairs:
        both = (pair.row.paper, pair.other.paper)
        paper = f"{100 * relative(both[1]['cer'], both[0]['cer']):+.1f}" if all(both) else _DASH
        cells.append(
            {
                "Model": pair.row.label,
                "Not zero": _nonzero(pair.row),
                "Against": pair.other.label,
                "Its not zero": _nonzero(pair.other),
                "Relative %": f"{100 * pair.relative:+.1f}",
                "95 % interval": between(pair.interval, "+.1f"),
                "Paper's relative %": paper,
            }
        )
    return pd.DataFrame(cells)


def _nonzero(row: Row) -> str:
    return f"{statistics.mean(run.result.nonzero for run in row.runs):,.0f}"
