"""`prune-rnn predict`: the forecast of a network, or the network that reaches a target."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from prune_rnn.config.config import compose_config
from prune_rnn.predict import inverse, printed, probe
from prune_rnn.predict.forecast import Forecast, forecast
from prune_rnn.predict.interval import by_networks
from prune_rnn.predict.networks import known
from prune_rnn.predict.plot import check, save
from prune_rnn.predict.targets import targets as targets_of
from prune_rnn.usage import UsageError

_STEP_SECONDS, _SPEED_SECONDS = 7.0, 3.0


def predict(overrides: Sequence[str], *, json_: bool = False, plot: Path | None = None, quick: bool = False) -> str:
    """Returns the forecast of a network, or of the one that reaches `target.KEY=VALUE`, which are among the overrides.

    json_: as JSON. plot: a file that the forecast is drawn to. quick: without training time and speed-up, which are
    timed on this machine for about ten seconds. Of the targets target.speedup alone has them timed.
    """
    targets, rest = targets_of(overrides)
    if plot is not None:
        check(plot)
    if targets and targets.speedup is not None and quick:
        raise UsageError(f"target.speedup={targets.speedup:g}: is timed here; leave out --quick, which times nothing")
    if targets:
        command, of, expectation = inverse.found(targets, rest)
    else:
        config = compose_config(rest)
        expectation = by_networks(known(Path(config.results)))
        command, of = None, forecast(config, expectation)
    if plot is not None:
        save(of, expectation, plot)
    timing = not quick and (targets is None or targets.speedup is not None)
    cost, speed = timed(of) if timing else (None, None)
    if json_:
        head = {"command": command} if command else {}
        return json.dumps({**head, **printed.as_json(of, cost, speed)}, indent=2)
    text = printed.text(of, cost, speed)
    return f"{command}\n\n{text}" if command else text


def timed(of: Forecast) -> tuple[probe.StepCost | None, probe.SpeedUp | None]:
    """Times a training step and the recurrent layer on this machine; None for what can't be timed."""
    cost = speed = None
    try:
        cost = probe.step_cost(of.config, of.amount, _STEP_SECONDS)
    except UsageError:  # no such device, or not enough memory: `train` says so
        if of.config.device != "auto":
            raise
    if of.config.prune.prunes:
        speed = probe.speed_up(of.config, 1 - of.course.prunable, _SPEED_SECONDS)
    return cost, speed
