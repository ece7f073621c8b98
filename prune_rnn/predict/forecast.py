"""The forecast of a network before it is trained: sparsity, size, CER."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prune_rnn.config.config import Config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.predict.amount import Amount, amount
from prune_rnn.predict.course import Course, course
from prune_rnn.predict.interval import Expectation, Expected, by_networks
from prune_rnn.predict.law import LEAST
from prune_rnn.predict.networks import Network, known
from prune_rnn.predict.setting import SYNTHETIC, Setting, counts, pruned, setting
from prune_rnn.predict.size import packed_bytes
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve
from prune_rnn.source.load import sparser_than_the_goal, start_of

SURE = 1.64  # standard deviations on each side of a 90 % interval


@dataclass(frozen=True, slots=True)
class Forecast:
    """A network as it is predicted.

    parameters: all of them. nonzero: in the end. sizes: bytes of the packed file, by type.
    cer: of one run; None where nothing fixes its level. ratio: its CER over that of the same network, dense, with the
    ends of the 90 % interval; None of a dense one. by: networks of the same recipe, and all that the law is fitted to.
    beyond: in words, how it differs from all networks that were trained.
    """

    config: Config
    goal: str
    setting: Setting
    amount: Amount
    course: Course
    parameters: int
    nonzero: int
    sizes: dict[Dtype, int]
    cer: Expected | None
    ratio: Expected | None
    by: tuple[int, int]
    beyond: list[str]


def forecast(config: Config, expectation: Expectation | None = None) -> Forecast:
    """Returns the forecast of a composed configuration.

    expectation: None: that of the shipped networks and of those in its results folder.
    """
    resolved, q_source = resolve(config)
    speech = amount(resolved)
    start = start_of(resolved)
    sparsity = course(resolved, q_source, speech.steps or 1000, start)
    parameters, prunable = counts(resolved.model)
    weights = pruned(resolved)
    zeros = round(sparsity.prunable * sum(weights.values()))
    density = max(1 - zeros / prunable, 1 / prunable)
    own = setting(recorded(resolved, q_source), parameters, prunable, density)
    expectation = expectation or by_networks(known(Path(config.results)))
    alike = [network for network in expectation.networks if network.setting.recipe == own.recipe]
    law = expectation.law
    further = sparsity.log_density * law["c"]
    fixed = bool(alike) or own.data == SYNTHETIC
    ratio = None
    if resolved.prune.prunes:
        mean, deviation = law.ratio(own, own.dense())
        reach = SURE * math.hypot(deviation, math.sqrt(2) * expectation.spread.of(own), further)
        ratio = Expected(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach))
    return Forecast(
        config=resolved,
        goal=resolved.prune.goal(q_source),
        setting=own,
        amount=speech,
        course=sparsity,
        parameters=parameters,
        nonzero=parameters - zeros,
        sizes={dtype: packed_bytes(resolved.model, weights, sparsity.prunable, dtype) for dtype in Dtype},
        cer=expectation.of(own, further=further) if fixed else None,
        ratio=ratio,
        by=(len(alike), len(expectation.networks)),
        beyond=[*_beyond(own, expectation.networks), *sparser_than_the_goal(resolved, start)],
    )


def _beyond(own: Setting, networks: Sequence[Network]) -> list[str]:
    """Returns in words how the setting differs from all networks that were trained."""
    others = [network.setting for network in networks]
    found = []
    alike = [each for each in others if each.recipe == own.recipe]
    if not alike and own.data == SYNTHETIC:
        kin = any((each.kin, each.init, each.teacher) == (own.kin, own.init, own.teacher) for each in others)
        found.append("no network had just this speech and these steps" if kin else "no network was trained like this")
    family = [each for each in others if each.cell == own.cell]
    if not family:
        found.append(f"no network had the cell {own.cell}")
    elif own.shape not in {each.shape for each in family}:
        found.append("no network had these layers")
    else:
        widest, narrowest = max(each.units for each in family), min(each.units for each in family)
        if own.units > widest:
            found.append(f"wider ({own.units} units) than the widest network of {widest} units")
        elif own.units < narrowest:
            found.append(f"narrower than the narrowest of {narrowest} units")
    if own.method != "none":
        pruned = [each for each in others if each.method == own.method]
        if not pruned:
            found.append(f"no network was pruned by prune={own.method}: what it costs is assumed")
        elif own.variant not in {each.variant for each in pruned}:
            options = own.variant or "its defaults"
            found.append(f"no network was pruned by prune={own.method} with {options}: what that costs is assumed")
        elif not any(abs(each.start - own.start) + abs(each.end - own.end) < 0.01 for each in pruned):
            found.append("no network was pruned in these epochs")
        if own.density < LEAST:
            found.append(f"below {100 * LEAST:g} % of the weights, where one network alone was trained")
    return found
