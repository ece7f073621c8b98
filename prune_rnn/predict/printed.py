"""A forecast in words, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from prune_rnn.engine.quantise import Dtype
from prune_rnn.predict.forecast import SURE, Forecast
from prune_rnn.predict.interval import LEVEL, Expected
from prune_rnn.predict.probe import SpeedUp, StepCost
from prune_rnn.train.feasible import STATE_BYTES
from prune_rnn.train.progress import time_left
from prune_rnn.typed import Plain

_WIDTH = 100
_EVERY = 8  # epochs that are shown, at most
_EVALUATION = 1 / 3  # of a step's time, for a batch that is only recognised


def cer(of: Forecast) -> str:
    """Returns the test CER to expect, in words."""
    alike, every = of.by
    if of.cer is None:
        return "unknown: no finished dense run of yours has this speech and training; one fixes the level"
    if of.cer.low >= 1:
        return "about 100 %: so little training teaches the network nothing"
    text = f"{100 * of.cer.cer:.1f} %, {_between(of.cer, 100)}, by "
    if not alike:
        return f"{text}{every} networks of other speech or training"
    text += f"{alike} network{'s' * (alike != 1)} of this speech and training"
    return text + f" and {every - alike} others" * (every > alike)


def text(of: Forecast, cost: StepCost | None = None, speed: SpeedUp | None = None) -> str:
    """Returns the forecast for a terminal. cost, speed: None where they were not timed."""
    config = of.config
    head = f"{config.name}: {of.setting.cell}, {config.model.units} units, scale {config.scale.name}, before training"
    rows = known(of)
    if cost is not None:
        rows.append(("memory", _memory(of, cost)))
        if of.amount.steps is not None:
            rows.append(("training", _training(of, cost, of.amount.steps)))
    if speed is not None:
        sparse, dense = (f"{_three(1e6 * each)} us" for each in (speed.sparse, speed.dense))
        words = f"{speed.times:.1f} at one stream: a step of a recurrent layer takes {sparse} ({speed.sparse_name}), "
        rows.append(("speed-up", f"{words}dense {dense} ({speed.dense_name}), timed here"))
    return f"{head}\n\n{lines(rows)}"


def lines(rows: Sequence[tuple[str, str]]) -> str:
    """Returns rows of a name and words, wrapped."""
    return "\n".join(textwrap.fill(f"{name:<15}{words}", _WIDTH, subsequent_indent=" " * 15) for name, words in rows)


def known(of: Forecast) -> list[tuple[str, str]]:
    """Returns what is known of a network without timing anything: names and words."""
    config = of.config
    rows = [("sparsity", _sparsity(of))] if config.prune.prunes else []
    words = f"{of.nonzero:,} of {of.parameters:,} parameters, {100 * (1 - of.nonzero / of.parameters):.1f} % sparse "
    rows.append(("not zero", f"{words}({'by counting' if of.course.exact else 'by that sparsity'})"))
    sizes = ", ".join(f"{of.sizes[dtype] / 1000:,.0f} kB in {dtype.value}" for dtype in Dtype)
    rows.append(("packed file", f"about {sizes} (by counting)"))
    rows.append(("test CER", cer(of)))
    if of.ratio is not None:
        words = f"{of.ratio.cer:.2f} times the CER of the same network, dense, {_between(of.ratio, 1)}"
        rows.append(("against dense", words))
    rows += [("outside", "; ".join(of.beyond))] if of.beyond else []
    return rows


def as_json(of: Forecast, cost: StepCost | None = None, speed: SpeedUp | None = None) -> Plain:
    """Returns the same as plain values; fractions, bytes and seconds."""
    steps, epochs = of.amount.steps, of.config.train.epochs
    return {
        "sparsity": {"by_epoch": of.course.by_epoch, "end": of.course.end, "prunable": of.course.prunable},
        "sparsity_is_exact": of.course.exact,
        "parameters": of.parameters,
        "not_zero": of.nonzero,
        "bytes": {dtype.value: size for dtype, size in of.sizes.items()},
        "cer": _ends(of.cer),
        "cer_over_dense": _ends(of.ratio),
        "networks": {"of_this_recipe": of.by[0], "all": of.by[1]},
        "outside": of.beyond,
        "train_bytes": None if cost is None else _bytes(of, cost),
        "train_seconds": None if cost is None or steps is None else cost.seconds * steps * epochs,
        "speed_up": None if speed is None else speed.times,
    }


def _sparsity(of: Forecast) -> str:
    if of.config.prune.starts_sparse:
        zeros = ", ".join(f"{100 * value:.1f} % of {layer_type}" for layer_type, value in of.course.end.items())
        return f"{of.goal}: {zeros}"
    phase = of.config.prune.phase()
    assert phase is not None
    epochs = of.config.train.epochs
    first, last = int(phase[0]) + 1, min(epochs, -int(-phase[1] // 1) or 1)
    shown = list(range(first, last + 1)) or [last]
    shown = shown[:: -(-len(shown) // _EVERY)]
    shown += [last] if shown[-1] != last else []
    courses = "; ".join(
        f"{layer_type} " + ", ".join(f"{100 * values[epoch - 1]:.0f}" for epoch in shown)
        for layer_type, values in of.course.by_epoch.items()
    )
    when = f"in epochs {phase[0]:g} to {phase[1]:g}" if phase[0] < phase[1] else f"at once after epoch {phase[0]:g}"
    words = f"{of.goal}, {when} of {epochs}; about, in % after epoch "
    words += f"{', '.join(map(str, shown))}: {courses}"
    if not of.course.exact:
        off = SURE * of.course.log_density * (1 - of.course.prunable)
        words += f"; in the end {100 * of.course.prunable:.1f} % ± {100 * off:.1f} of the prunable weights, by runs of "
        words += "other widths"
    return words


def _memory(of: Forecast, cost: StepCost) -> str:
    size, seconds = of.config.train.batch_size, of.amount.seconds
    words = f"at least {_three(_bytes(of, cost) / 1e9)} GB for {size} utterances of {seconds:.3g} s: "
    words += f"{_three(of.parameters * STATE_BYTES / 1e6)} MB of parameters, gradients and momentum, and "
    return f"{words}{_three(cost.kept / 1e6)} MB of activations a second of speech (counted here)"


def _bytes(of: Forecast, cost: StepCost) -> float:
    """Returns what training keeps in memory, over all processes; one process has its share of the activations."""
    return of.parameters * STATE_BYTES + cost.kept * of.config.train.batch_size * of.amount.seconds


def _training(of: Forecast, cost: StepCost, steps: int) -> str:
    config = of.config
    total = steps * config.train.epochs
    number = f"{total:,}" if of.amount.exact else f"about {total:,}"
    words = f"{time_left(cost.seconds * total)}: {number} steps of {_three(cost.seconds)} s, {cost.steps} timed here"
    if cost.utterances < config.train.batch_size:
        words += f" with {cost.utterances} of {config.train.batch_size} utterances: at most that long"
    words += "; other work keeps this machine busy: less where it is idle" if cost.busy else ""
    hours = (getattr(config.data, "dev_hours", None), getattr(config.data, "test_hours", None))
    if of.setting.hours_heard and hours[0] is not None and hours[1] is not None:
        batches = total * (config.train.epochs * hours[0] + hours[1]) / of.setting.hours_heard
        words += f"; {time_left(_EVALUATION * cost.seconds * batches)} of evaluation besides"
    return words


def _three(value: float) -> str:
    """Returns a number with three digits or more, without an exponent from 100 on."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _between(of: Expected, scale: float) -> str:
    form = ".1f" if scale == 100 else ".2f"
    return f"{100 * LEVEL:.0f} % interval {scale * of.low:{form}} to {scale * of.high:{form}}"


def _ends(of: Expected | None) -> Plain | None:
    return None if of is None else {"median": of.cer, "low": of.low, "high": of.high}
