"""N:M pruning: of every M neighbouring weights of a row, N stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from prune_rnn.config.option import option
from prune_rnn.prune import keep
from prune_rnn.prune.base import Pruning, Surroundings
from prune_rnn.prune.cubic import Cubic
from prune_rnn.prune.keep import Kept
from prune_rnn.prune.masker import Masker
from prune_rnn.prune.score import Candidate
from prune_rnn.prune.select import Weights
from prune_rnn.usage import UsageError, within


@dataclass(kw_only=True, slots=True)
class NM(Cubic):
    """Keeps the `n` largest |w| of every `m` neighbouring columns of a row; m - n of them go one after another.

    n and m fix the sparsity. Source: Mishra et al. 2021, "Accelerating Sparse Deep Neural Networks" (2:4).
    """

    threshold: ClassVar[bool] = False
    method: str = option("its name; not to be set: give prune=nm", "nm")
    n: int = option("weights that stay of each group", 2)
    m: int = option("neighbouring columns of a row that make a group", 16)

    def check(self, epochs: int) -> None:
        if self.sparsity is not None:
            raise ValueError(f"prune.sparsity={self.sparsity}: prune.n and prune.m fix the sparsity; leave it out")
        within("prune.m", self.m, 2, 1024)
        if not 0 < self.n < self.m:
            raise ValueError(f"prune.n={self.n}: must be 1 or more, and less than prune.m={self.m}")
        Cubic.check(self, epochs)

    def stated(self) -> list[str]:
        return [f"prune.n={self.n} of prune.m={self.m}"]

    def resolve(self, around: Surroundings) -> str:
        """Works out the sparsity of the prunable weights from their shapes."""
        self.prunable_sparsity = self._goal(self.weights(around.network()))
        return Pruning.resolve(self, around)

    def masker(
        self, weights: Weights, steps_per_epoch: int, *, seed: int = 0, gates: Mapping[str, int] | None = None
    ) -> Masker:
        resolved = replace(self, prunable_sparsity=self._goal(weights))
        return Pruning.masker(resolved, weights, steps_per_epoch, seed=seed, gates=gates)

    def _goal(self, weights: Weights) -> float:
        """Returns the sparsity that n and m make of the weights; UsageError where another is stated, or it is 0."""
        shapes = [parameter.shape for group in weights.values() for parameter in group.values()]
        pruned = sum(keep.pruned_of_groups(shape, self.n, self.m) for shape in shapes)
        goal = round(pruned / max(1, sum(shape.numel() for shape in shapes)), 6)
        if self.prunable_sparsity is not None and round(self.prunable_sparsity, 6) != goal:
            raise UsageError(
                f"prune.prunable_sparsity={self.prunable_sparsity}: prune.n={self.n} and prune.m={self.m} make {goal}; "
                "leave it out"
            )
        if not goal:
            raise UsageError(f"prune.n={self.n} of prune.m={self.m}: prunes nothing here; give a smaller n")
        return goal

    def keep(self, candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
        """Keeps n of m at the goal, more before it."""
        pruned = keep.share_of_group(amount, self.share, self.m - self.n)
        return keep.of_groups(candidates, scores, self.m - pruned, self.m)
