"""A pruning method: its schedule, score and keep, its checks, and the options that name a run.

A method is an option of the group `prune`: one module with one class, one YAML file, one line in `methods.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from prune_rnn.config.option import option
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.prune import keep, score
from prune_rnn.prune.keep import Kept
from prune_rnn.prune.mask import to_prune
from prune_rnn.prune.masker import Masker, Rule
from prune_rnn.prune.schedule import Schedule
from prune_rnn.prune.score import Candidate
from prune_rnn.prune.select import Weights, select
from prune_rnn.usage import UsageError


class Surroundings(Protocol):
    """The run that a method belongs to, and earlier runs, as far as a method may use them."""

    def network(self) -> nn.Module:
        """Returns the network, with shapes but without weights."""

    def baseline(self) -> nn.Module:
        """Returns the network of the dense baseline, with shapes but without weights."""

    def dense(self, layers: Any) -> tuple[str, dict[str, float]] | None:
        """Returns the name of the finished dense run of the same family, and q of its weights by layer type.

        None also where `layers` are not the model's own: its q is of other weights.
        """

    def earlier(self) -> Iterable[tuple[Method, str, bool]]:
        """Returns (method, where q came from, finished) of the earlier runs that this configuration resolved to."""


@dataclass(kw_only=True, slots=True)
class Method:
    """A pruning method, chosen by `prune=<name>`. Unless it overrides them, its methods prune nothing."""

    method: str = option("its name; not to be set: give prune=NAME")

    @property
    def prunes(self) -> bool:
        """Whether it prunes at all."""
        return self.phase() is not None

    @property
    def follows_runs(self) -> bool:
        """Whether what it resolves to depends on the runs that are there."""
        return False

    def led_to(self, other: Method, q_source: str) -> bool:
        """Tells whether this method, its q still open, may have led to a run of `other` with q from `q_source`."""
        return False

    def magnitudes(self) -> dict[str, float] | None:
        """Returns q by layer type, where it was stated or found before training."""
        return None

    def check(self, epochs: int) -> None:
        """Raises ValueError that names the key, the value and the way out; epochs: of the whole training."""

    def complete(self, model: ModelConfig) -> None:
        """Fills in the weights to prune from the model, where the user named none."""

    def resolve(self, around: Surroundings) -> str:
        """Fills in what `auto` and the like stand for, and returns where q comes from ("": there is no q)."""
        return ""

    def weights(self, model: nn.Module) -> Weights:
        """Returns the weights that it prunes, by layer type and name; ValueError where a pattern matches nothing."""
        return {}

    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        """Returns when the masks change, the score and the keep, of each layer type in one rule; none: never."""
        return []

    def phase(self) -> tuple[float, float] | None:
        """Returns the epochs done when it begins and when it ends; None where it never prunes."""
        return None

    def goal(self, q_source: str) -> str:
        """Returns in words how far it will prune; empty where it does not."""
        return ""

    @property
    def grain(self) -> int:
        """The most weights that are pruned together; each layer type meets the goal to within this number."""
        return 1

    @property
    def starts_sparse(self) -> bool:
        """Whether it needs a network that is pruned already."""
        return False

    @property
    def regrows(self) -> bool:
        """Whether a pruned weight may come back."""
        return False

    def masker(
        self, weights: Weights, steps_per_epoch: int, *, seed: int = 0, gates: Mapping[str, int] | None = None
    ) -> Masker:
        """Returns the masks of `weights` over a run of so many optimizer steps per epoch.

        seed: of the run. gates: of the parameters whose rows belong to several gates, by name.
        """
        rules = self.rules(weights, steps_per_epoch)
        return Masker(weights, rules, regrow=self.regrows, seed=seed, gates=gates)


@dataclass(kw_only=True, slots=True)
class Pruning(Method, ABC):
    """A method that prunes weights of named layers towards a sparsity.

    Unless it overrides `score` and `keep`, it prunes by magnitude and meets the goal to one weight per layer type.
    """

    gradients: ClassVar[bool] = False  # whether `score` needs them
    threshold: ClassVar[bool] = True  # whether `keep` returns one that says something to a reader
    sparsity: float | None = option("zeros / all parameters of the network; null: model.sparsity", None)
    prunable_sparsity: float | None = option("zeros / all prunable weights, instead of prune.sparsity", None)
    layers: Any = option("layer type -> patterns of parameter names; null: model.prunable", None)

    @abstractmethod
    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        """Returns when the masks change, the score and the keep, of each layer type in one rule."""

    @abstractmethod
    def phase(self) -> tuple[float, float]:
        """Returns the epochs done when it begins and when it ends."""

    def score(self, of: Candidate) -> Tensor:
        """Returns a score of each weight, same shape; low ones go first."""
        return score.magnitude(of)

    def keep(self, candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
        """Returns the masks at the schedule's `amount`. last: whether this is the last update."""
        return keep.at_sparsity(candidates, scores, amount, last)

    def rule_of_each(self, layer_types: Iterable[str], when: Schedule) -> list[Rule]:
        """Returns one rule for each layer type, all with this schedule."""
        return [
            Rule(
                layer_types=(layer_type,),
                when=when,
                score=self.score,
                keep=self.keep,
                gradients=self.gradients,
                threshold=self.threshold,
            )
            for layer_type in layer_types
        ]

    def complete(self, model: ModelConfig) -> None:
        """Fills in the weights to prune, and the sparsity where no goal is stated, from the model."""
        if self.layers is None:
            self.layers = model.prunable
        if not self.stated():
            self.sparsity = model.sparsity

    def stated(self) -> list[str]:
        """Returns the goals that have a value, as KEY=VALUE; exactly one may."""
        goals = {"sparsity": self.sparsity, "prunable_sparsity": self.prunable_sparsity}
        return [f"prune.{key}={value}" for key, value in goals.items() if value is not None]

    def check(self, epochs: int) -> None:
        """Checks the goal and the layers; each method adds its own."""
        goals = self.stated()
        if not goals:
            fix = "give the network's sparsity, e.g. prune.sparsity=0.9, or in a loop of your own prunable_sparsity=0.9"
            raise ValueError(f"prune.sparsity has no value; {fix}")
        if len(goals) > 1:
            raise ValueError(f"{' and '.join(goals)}: give one of them")
        for key in ("sparsity", "prunable_sparsity"):
            value = getattr(self, key)
            if value is not None and not 0 < value < 1:
                raise ValueError(f"prune.{key}={value}: must lie between 0 and 1, e.g. 0.9 for 90 %")
        check_layers(self.layers)

    def weights(self, model: nn.Module) -> Weights:
        return select(model, self.layers)

    def resolve(self, around: Surroundings) -> str:
        """Works out `prunable_sparsity`, which alone then states the goal, so that equal runs have equal names."""
        model = around.network()
        weights = self.weights(model)  # refuses patterns that match nothing, before any work is done
        if self.prunable_sparsity is None:
            assert self.sparsity is not None  # `check` has seen to it
            self.prunable_sparsity = of_prunable(self.sparsity, model, weights)
        self.sparsity = None
        for layer_type, group in weights.items():
            count = sum(p.numel() for p in group.values())
            if to_prune(self.prunable_sparsity, count) >= count:
                raise UsageError(
                    f"prune.prunable_sparsity={self.prunable_sparsity}: leaves not one of the {count:,} {layer_type} "
                    f"weights; give at most {int(1e6 * (count - 1) / count) / 1e6}"
                )
        return ""

    @property
    def share(self) -> float:
        """The share of the prunable weights that is zero in the end; ValueError where `resolve` is to work it out."""
        if self.prunable_sparsity is None:
            raise ValueError(
                "prune.prunable_sparsity is open; give it (prune.sparsity takes a whole network: `resolve`)"
            )
        return self.prunable_sparsity

    def goal(self, q_source: str) -> str:
        return f"{100 * (self.prunable_sparsity or 0):.2f} % of the prunable weights to be pruned"


def of_prunable(sparsity: float, model: nn.Module, weights: Weights) -> float:
    """Returns the sparsity of `weights` that gives the whole model `sparsity`; UsageError where none does."""
    parameters = sum(p.numel() for p in model.parameters())
    prunable = sum(p.numel() for group in weights.values() for p in group.values())
    if not sparsity * parameters < prunable:
        raise UsageError(
            f"prune.sparsity={sparsity} (of the model, unless given): can't be met, as prune.layers has {prunable:,} "
            f"of {parameters:,} parameters; give less than {prunable / parameters:.3f}"
        )
    return min(round(sparsity * parameters / prunable, 6), 0.999999)


def check_layers(layers: Any) -> None:
    """Raises ValueError unless each layer type has patterns."""
    patterns = layers.values() if isinstance(layers, dict) else [None]
    named = all(isinstance(p, list) and all(isinstance(pattern, str) for pattern in p) for p in patterns)
    if not (layers and named):
        raise ValueError(
            f"prune.layers={layers}: give patterns of parameter names for each layer type, such as "
            "{recurrent: [recurrent.*.recurrent.weight]}"
        )
