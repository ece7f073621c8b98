"""The regressors of a network: its size, its density, how it is pruned, and what it is trained on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import ModelConfig, meta_model
from prune_rnn.prune.select import select
from prune_rnn.run.identity import digest_of, whatever_seed
from prune_rnn.run.record import Recorded

SYNTHETIC = "synthetic"
SECONDS = 3.75  # of an utterance of synthetic speech, on average
GOALS = {"sparsity", "prunable_sparsity", "parameters", "q"}  # of pruning: how far, not when or how
_PHASE = {"start_epoch", "ramp_epoch", "end_epoch", "epoch"}  # of pruning: when
_AMOUNTS = {"train_hours", "corpus", "steps_per_epoch", "epochs", "batch_size", "hold_epochs"}
_ELSEWHERE = {"prune", "model"}  # parts of the identity that are no part of the recipe
_SOURCES = {"init", "teacher"}  # parts of the recipe that name weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One network, whatever its seed.

    prunable: weights that can be pruned (`model.prunable`). density: the share of them that stays, above 0.
    start, end: of pruning, as shares of all epochs. schedule: digest of when and how it is pruned.
    variant: options of the method that are not its defaults, but for goal and epochs: "regrow=True"; "": none.
    init, teacher: whether training starts from trained weights, and whether it has a teacher.
    shape: digest of the model without its units.
    recipe: digest of data and training, whatever the weights of `init` and `teacher`.
    kin: digest of the recipe without the amounts of speech and steps, without `init` and `teacher`.
    hours, hours_heard: of speech to train on, and of speech in all steps; None where the configuration states none.
    """

    cell: str
    units: int
    parameters: int
    prunable: int
    density: float
    method: str
    start: float
    end: float
    schedule: str
    variant: str
    init: bool
    teacher: bool
    shape: str
    data: str
    recipe: str
    kin: str
    hours: float | None
    hours_heard: float | None

    @property
    def key(self) -> tuple[object, ...]:
        """What all runs of one setting have in common, and no others."""
        return self.cell, self.units, round(self.density, 4), self.schedule, self.shape, self.recipe

    def dense(self) -> Setting:
        """Returns the same network, not pruned."""
        return replace(self, density=1.0, method="none", schedule="", variant="", start=0.0, end=0.0)


def counts(config: ModelConfig) -> tuple[int, int]:
    """Returns a network's parameters, and how many of them can be pruned."""
    model = meta_model(config)
    prunable = sum(p.numel() for group in select(model, config.prunable).values() for p in group.values())
    return sum(p.numel() for p in model.parameters()), prunable


def pruned(config: Config) -> dict[str, int]:
    """Returns the size of each weight matrix that the configuration prunes, by name: those of `prune.layers`."""
    groups = config.prune.weights(meta_model(config.model)) if config.prune.prunes else {}
    return {name: p.numel() for group in groups.values() for name, p in group.items()}


def setting(config: Recorded, parameters: int, prunable: int, density: float) -> Setting:
    """Returns the setting of a resolved configuration.

    prunable, density: of all weights of `model.prunable`, whichever are pruned; density: in the end.
    """
    own, train = config.identity, config.train
    phase = config.prune.phase()
    start, end = (0.0, 0.0) if phase is None else (each / train.epochs for each in phase)
    recipe = {key: value for key, value in whatever_seed(own).items() if key not in _ELSEWHERE}
    recipe["train"] = {key: value for key, value in own["train"].items() if key != "precision"}
    hours = own["data"].get("train_hours")
    hours_heard = None
    if hours is not None:
        steps = train.steps_per_epoch
        hours_heard = train.epochs * (hours if steps is None else steps * train.batch_size * SECONDS / 3600)
    return Setting(
        cell=config.model.cell.name,
        units=config.model.units,
        parameters=parameters,
        prunable=prunable,
        density=density,
        method=own["prune"]["method"],
        start=start,
        end=end,
        schedule=digest_of({k: v for k, v in own["prune"].items() if k not in GOALS}) if config.prune.prunes else "",
        variant=_variant(config) if config.prune.prunes else "",
        init="init" in own,
        teacher="teacher" in own,
        shape=digest_of({k: v for k, v in own["model"].items() if k not in ("units", "prunable")}),
        data=own["data"]["name"],
        recipe=digest_of(recipe),
        kin=digest_of({k: _without(values, _AMOUNTS) for k, values in recipe.items() if k not in _SOURCES}),
        hours=hours,
        hours_heard=hours_heard,
    )


def _variant(config: Recorded) -> str:
    """Returns the options of the pruning method that are not its defaults; layers by their digest."""
    own = config.identity["prune"]
    defaults = {**{field.name: field.default for field in fields(config.prune)}, "layers": config.model.prunable}
    found = {key: value for key, value in own.items() if key not in GOALS | _PHASE and value != defaults[key]}
    if "layers" in found:
        found["layers"] = digest_of(found["layers"])
    return " ".join(f"{key}={found[key]}" for key in sorted(found))


def _without(values: object, keys: set[str]) -> object:
    return {k: v for k, v in values.items() if k not in keys} if isinstance(values, dict) else values
