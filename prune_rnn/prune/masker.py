"""The masks of one training run: holds them, applies them after each optimizer step, and survives a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from prune_rnn.prune.keep import Keep
from prune_rnn.prune.mask import sparsity
from prune_rnn.prune.schedule import Schedule
from prune_rnn.prune.score import Candidate
from prune_rnn.prune.select import Weights
from prune_rnn.typed import Plain


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When x score x keep: how the masks of some layer types change. One keep decides over all of them together.

    when: the steps at which they change, and the amount then. score: low ones go first. keep: how many stay, and which.
    gradients: whether the score needs them. threshold: whether the keep returns one.
    """

    layer_types: tuple[str, ...]
    when: Schedule
    score: Callable[[Candidate], Tensor]
    keep: Keep
    gradients: bool = False
    threshold: bool = True


class Masker:
    """Keeps masked weights at exactly zero. The loop calls `after_step` once after every optimizer step, from 1 on.

    weights: as `select` returns. rules: each layer type belongs to exactly one; without any, the masks stay.
    regrow: a masked weight comes back at an update where its score is high enough. Without regrow it is set to zero
    before it is scored, so it never comes back.
    seed: of the run. gates: of the parameters whose rows belong to several gates, by name.
    """

    def __init__(
        self,
        weights: Weights,
        rules: Sequence[Rule],
        *,
        regrow: bool = False,
        seed: int = 0,
        gates: Mapping[str, int] | None = None,
    ) -> None:
        ruled = [layer_type for rule in rules for layer_type in rule.layer_types]
        assert not rules or sorted(weights) == sorted(ruled)
        self.weights, self.rules, self.regrow, self.seed, self.gates = weights, rules, regrow, seed, gates or {}
        self.parameters = {name: p for group in weights.values() for name, p in group.items()}
        self.masks = {name: torch.ones_like(p, dtype=torch.bool) for name, p in self.parameters.items()}
        # the last one of each layer type that has any
        self.thresholds = {layer_type: 0.0 for rule in rules if rule.threshold for layer_type in rule.layer_types}
        self._gradients: dict[str, Tensor] = {}  # of the step under way, where a score needs them

    def keep_zeros(self) -> None:
        """Masks what is zero now, so that it stays zero; not with `regrow`, where it may come back at once."""
        if not self.regrow:
            self.masks = {name: p.detach() != 0 for name, p in self.parameters.items()}

    def done(self, step: int) -> bool:
        """Tells whether the masks can no longer change after this step."""
        return all(rule.when.done(step) for rule in self.rules)

    def mask_gradients(self, step: int) -> None:
        """Zeroes the gradients of masked weights, so that they don't count in the gradient's norm.

        The loop calls it before it clips. A masked weight's gradient moves nothing, but at 93 % sparsity such gradients
        are most of the norm: with them the other weights take steps little more than a quarter as long. With `regrow`
        the gradients stay. step: the one under way; gradients that a score needs are copied for it.
        """
        rules = [rule for rule in self.rules if rule.gradients and rule.when.updates_at(step)]
        wanted = [name for rule in rules for name in self._of(rule)]
        self._gradients = {name: grad.clone() for name in wanted if (grad := self.parameters[name].grad) is not None}
        if self.regrow:
            return
        for name, parameter in self.parameters.items():
            if parameter.grad is not None:
                parameter.grad.mul_(self.masks[name])

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Updates the masks where it is time to, and zeroes the masked weights."""
        for rule in self.rules:
            if rule.when.updates_at(step):
                self._update(rule, step)
        self._zero(self.parameters)

    def _update(self, rule: Rule, step: int) -> None:
        names = self._of(rule)
        if not self.regrow:
            self._zero(names)
        candidates = [
            Candidate(
                name=name,
                value=self.parameters[name],
                mask=self.masks[name],
                gates=self.gates.get(name, 1),
                seed=self.seed,
                gradient=self._gradients.get(name),
            )
            for name in names
        ]
        scores = [rule.score(candidate) for candidate in candidates]
        kept = rule.keep(candidates, scores, rule.when.at(step), step == rule.when.last_update)
        for name, mask in zip(names, kept.masks, strict=True):
            self.masks[name] = mask if self.regrow else mask & self.masks[name]
        if rule.threshold:
            assert kept.threshold is not None
            self.thresholds.update(dict.fromkeys(rule.layer_types, kept.threshold))

    def _of(self, rule: Rule) -> list[str]:
        return [name for layer_type in rule.layer_types for name in self.weights[layer_type]]

    def _zero(self, names: Iterable[str]) -> None:
        for name in names:
            self.parameters[name].mul_(self.masks[name])

    def check(self) -> None:
        """Raises AssertionError where a masked weight is not exactly zero: a defect of this program."""
        for name, parameter in self.parameters.items():
            wrong = int((parameter.detach() != 0).logical_and_(~self.masks[name]).count_nonzero())
            assert wrong == 0, f"{wrong} masked weights of {name} are not zero"

    def sparsity(self) -> dict[str, float]:
        """Returns pruned / all for each layer type, in [0, 1]."""
        return {t: sparsity([self.masks[name] for name in group]) for t, group in self.weights.items()}

    def state_dict(self) -> Plain:
        """Returns the masks and thresholds, for a checkpoint."""
        return {"masks": self.masks, "thresholds": self.thresholds}

    def load_state_dict(self, state: Plain) -> None:
        """Takes over what `state_dict` returned."""
        masks: dict[str, Tensor] = state["masks"]
        for name, mask in self.masks.items():
            if masks[name].shape != mask.shape:
                raise ValueError(f"the mask of {name} is of another shape")
            mask.copy_(masks[name])
        self.thresholds = dict(state["thresholds"])
