"""From a target to a network: `target.cer=0.27`, `target.parameters`, `target.bytes`, `target.speedup`, or several."""

from __future__ import annotations

import bisect
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from prune_rnn import paths
from prune_rnn.config.config import Config, compose_config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.predict import printed, probe
from prune_rnn.predict.forecast import Forecast, forecast
from prune_rnn.predict.interval import Expectation, by_networks
from prune_rnn.predict.networks import known
from prune_rnn.predict.setting import GOALS, SYNTHETIC, Setting, counts, pruned, setting
from prune_rnn.predict.size import packed_bytes
from prune_rnn.predict.targets import Targets
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve
from prune_rnn.source.load import start_of
from prune_rnn.usage import UsageError

_WIDTHS = [round(0.25 * 1.08**step, 4) for step in range(34)]  # times the baseline's units: up to 3.2
_NEAR = [1.08 ** (step / 8) for step in range(-8, 9)]  # times the best of these widths: up to the widths beside it
_SPARSITY = [0.0, *(thousandth / 1000 for thousandth in range(500, 971))]  # 0: dense
_TIMED, _SECONDS = 10, 1.0  # candidates that are timed at most; each


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network of the search. words: the overrides that make it. nonzero: its parameters that are not zero.

    pruned: the weights that are pruned, their sizes by name. sparsity: of these.
    """

    words: list[str]
    config: Config
    setting: Setting
    nonzero: int
    pruned: dict[str, int]
    sparsity: float


def found(wanted: Targets, overrides: Sequence[str]) -> tuple[str, Forecast, Expectation]:
    """Returns the smallest network that reaches all targets: its command, its forecast, and the expectation behind it.

    The width and the sparsity are searched, unless they are given; a model that is not pruned stays dense.
    Without target.cer: of the networks that meet the other targets, the one whose interval has the lowest upper end.
    With target.speedup alone the width is the model's, and the least sparse network that is fast enough is found.
    UsageError where none meets them.
    """
    config = compose_config([*_models(overrides)[0], *overrides])
    expectation = by_networks(known(Path(config.results)))
    if config.prune.starts_sparse:
        raise UsageError(f"prune={config.prune.method}: keeps the width and the zeros of init; leave out the target")
    if config.init is not None and not {"model", "model.units"} <= set(map(_key, overrides)):
        raise UsageError(f"init={config.init}: has one model and width; give them: model=..., model.units=...")
    start_of(config)  # raises where its shape is another
    if config.data.name != SYNTHETIC and wanted.cer is not None:
        first = forecast(config, expectation)
        if first.cer is None:
            raise UsageError(f"target.cer={wanted.cer}: the CER is {printed.cer(first)}")
    times, alone = wanted.speedup, wanted == Targets(speedup=wanted.speedup)

    def rank(one: Candidate) -> float:
        return expectation.of(one.setting).high if wanted.cer is None else one.nonzero

    def best(widths: Sequence[float]) -> list[Candidate]:
        found = [one for each in _families(overrides, widths) if (one := _best(each, wanted, expectation))]
        return sorted(found, key=rank)

    if times is not None and alone:  # nothing limits the size: the width is the model's
        candidates = [one for each in _families(overrides, [None]) if (one := _least_sparse(each, times))]
    else:
        candidates = best(_WIDTHS)
    fitting = [each for each in candidates if _fits(each, wanted)]
    if times is None and candidates and "model.units" not in map(_key, overrides):
        model = (fitting or candidates)[0].config.model
        candidates = best([near * model.units / model.baseline_units for near in _NEAR])
        fitting = [each for each in candidates if _fits(each, wanted)]
    chosen = next(iter(fitting), None) if times is None or alone else _first_fast(fitting, times)
    if chosen is None:
        pinned = {"model.units", "prune", *(f"prune.{goal}" for goal in GOALS)}
        pinned |= set() if config.prune.prunes else {"model"}
        raise UsageError(_none(wanted, candidates, [word for word in overrides if _key(word) in pinned]))
    command = shlex.join(["prune-rnn", "train", *chosen.words])
    return command, forecast(compose_config(chosen.words), expectation), expectation


@dataclass(frozen=True, slots=True)
class _Family:
    """One width at all sparsities. pruned: as `Candidate`'s. sparsity: of all parameters, in rising order; 0: dense."""

    words: list[str]
    dense_words: list[str]
    config: Config
    setting: Setting
    pruned: dict[str, int]
    sparsity: Sequence[float]

    def at(self, sparsity: float) -> Candidate:
        """Returns the network at a sparsity."""
        parameters = self.setting.parameters
        if sparsity == 0:
            return Candidate(self.dense_words, self.config, self.setting.dense(), parameters, {}, 0.0)
        zeros = round(sparsity * parameters)
        own = replace(self.setting, density=1 - zeros / self.setting.prunable)
        words = self.words if len(self.sparsity) == 1 else [*self.words, f"prune.sparsity={sparsity:g}"]
        return Candidate(words, self.config, own, parameters - zeros, self.pruned, zeros / sum(self.pruned.values()))


def _families(overrides: Sequence[str], widths: Sequence[float | None]) -> Iterator[_Family]:
    """Yields every width of the model that is given, or of each cell's.

    widths: times the baseline's units; None: the model's own.
    """
    keys = {_key(each) for each in overrides}
    models = paths.options("model")
    for model in _models(overrides):
        given = compose_config([*model, *overrides])
        free = getattr(given.prune, "sparsity", None) is not None and "prune.sparsity" not in keys
        try:
            config, source = resolve(compose_config([*model, *overrides, "prune.sparsity=0.1"]) if free else given)
        except UsageError:
            if model:
                continue  # another cell may do
            raise
        if getattr(config.prune, "prunable_sparsity", 0.0) is None:
            raise UsageError("prune.q: a target needs a sparsity to search; leave it out")
        base, dense = config.model.baseline_units, "".join(model).replace("_sparse", "_dense")
        for units in dict.fromkeys(
            None if w is None or "model.units" in keys else max(8, round(base * w)) for w in widths
        ):
            own = config if units is None else replace(config, model=replace(config.model, units=units))
            if not free:
                try:
                    own, _ = resolve(replace(given, model=own.model))
                except UsageError:
                    continue  # too much for this width, which has more that is never pruned
            fixed: float = getattr(own.prune, "prunable_sparsity", None) or 0.0
            (parameters, prunable), weights = counts(own.model), pruned(own)
            most = sum(weights.values())
            width = [*overrides, *([] if units is None else [f"model.units={units}"])]
            grid = [sparsity for sparsity in _SPARSITY if sparsity == 0 or sparsity * parameters < 0.995 * most]
            if any(key.partition(".")[0] == "prune" for key in keys):  # a dense network takes no such key
                grid.remove(0.0)
            named = [dense, *width] if dense.removeprefix("model=") in models else [*model, *width, "prune=none"]
            yield _Family(
                words=[*model, *width],
                dense_words=named if given.prune.prunes else [*model, *width],
                config=own,
                setting=setting(recorded(own, source), parameters, prunable, 0.5),
                pruned=weights,
                sparsity=grid if free else [fixed * most / parameters],
            )


def _models(overrides: Sequence[str]) -> list[list[str]]:
    """Returns the overrides that choose each model to search: none where one is given, else each cell's sparse one."""
    if "model" in map(_key, overrides):
        return [[]]
    return [[f"model={name}"] for name in paths.options("model") if name.endswith("_sparse")]


def _key(override: str) -> str:
    return override.lstrip("+").partition("=")[0]


def _best(family: _Family, wanted: Targets, expectation: Expectation) -> Candidate | None:
    """Returns the sparsest network of a width that reaches the CER; without such a target, the largest that fits."""

    def before(sparsity: float) -> bool:
        own = family.at(sparsity)
        return not _fits(own, wanted) if wanted.cer is None else expectation.of(own.setting).high <= wanted.cer

    # in rising order of sparsity: first those that reach the CER; without target.cer, those that don't fit
    index = bisect.bisect_left(family.sparsity, True, key=lambda sparsity: not before(sparsity))
    index -= wanted.cer is not None
    return family.at(family.sparsity[index]) if 0 <= index < len(family.sparsity) else None


def _fits(one: Candidate, wanted: Targets) -> bool:
    """Whether the network has few enough parameters and bytes."""
    if wanted.parameters is not None and one.nonzero > wanted.parameters:
        return False
    return (
        wanted.bytes is None or packed_bytes(one.config.model, one.pruned, one.sparsity, Dtype.float32) <= wanted.bytes
    )


def _first_fast(candidates: Sequence[Candidate], times: float) -> Candidate | None:
    """Returns the first candidate that is so many times as fast as dense on this machine."""
    sparse = [each for each in candidates if each.setting.density < 1]
    return next((one for one in sparse[:_TIMED] if _is_fast(one, times)), None)


def _least_sparse(family: _Family, times: float) -> Candidate | None:
    """Returns the least sparse network of a width that is so many times as fast as dense on this machine."""
    sparse = [family.at(sparsity) for sparsity in family.sparsity if sparsity > 0]
    index = bisect.bisect_left(sparse, True, key=lambda one: _is_fast(one, times))
    return sparse[index] if index < len(sparse) else None


def _is_fast(one: Candidate, times: float) -> bool:
    """Times a recurrent layer of the network, dense and sparse."""
    speed = probe.speed_up(one.config, 1 - one.sparsity, _SECONDS)
    return speed is not None and speed.times >= times


def _none(wanted: Targets, candidates: Sequence[Candidate], pinned: Sequence[str]) -> str:
    """Returns the message that no network reaches the targets. pinned: the overrides that narrow the search."""
    given = {name: value for name, value in asdict(wanted).items() if value is not None}
    text = ", ".join(f"target.{name}={value:g}" for name, value in given.items()) + ": no network"
    if "model.units" not in map(_key, pinned):
        text += f" of {_WIDTHS[0]:g} to {_WIDTHS[-1]:g} times the baseline's units"
    text += f" with {shlex.join(pinned)} meets it" if pinned else " meets it"
    if wanted.cer is not None and candidates:
        least = min(each.nonzero for each in candidates)
        text += f"; the smallest that reaches the CER keeps {least:,} parameters"
    ways = [f"leave out {shlex.join(pinned)}"] if pinned else []
    ways.append("give a weaker target")
    ways += ["train longer: raise train.steps_per_epoch or data.train_hours"] if wanted.cer is not None else []
    return f"{text}; {', or '.join(ways)}"
