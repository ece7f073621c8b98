"""Gradual magnitude pruning: the paper's Algorithm 1, with its heuristics in epochs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from prune_rnn.config.option import option
from prune_rnn.prune import keep, q
from prune_rnn.prune.base import Method, Pruning, Surroundings
from prune_rnn.prune.keep import Kept
from prune_rnn.prune.mask import next_above, quantile
from prune_rnn.prune.masker import Rule
from prune_rnn.prune.q import AUTO, BASELINE
from prune_rnn.prune.schedule import Threshold, start_slope
from prune_rnn.prune.score import Candidate


@dataclass(kw_only=True, slots=True)
class Gradual(Pruning):
    """Prunes what falls under a threshold that rises with the steps, one threshold for each layer type.

    The defaults are the heuristics of the paper's Table 1; epochs count those completed. `q` is the magnitude that the
    threshold reaches at the end: a number, one per layer type, `auto`, or `baseline`, the paper's heuristic: the 90th
    percentile of |w| of the finished dense run, else an estimate of it. With `auto` q is computed anew at each update:
    the magnitude below which the goal's share of the layer type's weights lies. The threshold is the schedule's share
    (0 to 1) of q, and at the last update q itself. So the sparsity never passes the goal and ends on it, to one weight.
    Close to the goal the threshold may fall: the weights that are left to prune have shrunk since earlier updates.
    """

    method: str = option("its name; not to be set: give prune=gradual", "gradual")
    q: Any = option("magnitude the threshold reaches: auto, baseline or numbers", AUTO)
    start_epoch: float = option("epochs done when pruning starts")
    ramp_epoch: float = option("epochs done when the threshold begins to rise faster")
    end_epoch: float = option("epochs done when the masks are frozen")
    ramp_factor: float = option("second slope of the threshold over its first (the paper: 1.5 to 2)", 1.5)
    updates_per_epoch: float = option("how often the masks are recomputed, per epoch", 27.0)
    regrow: bool = option("may a pruned weight come back?", False)

    @property
    def follows_runs(self) -> bool:
        return bool(self.q == BASELINE)

    def stated(self) -> list[str]:
        return Pruning.stated(self) + ([] if self.q == AUTO else [f"prune.q={self.q}"])

    def check(self, epochs: int) -> None:
        Pruning.check(self, epochs)
        if not 0 <= self.start_epoch <= self.ramp_epoch <= self.end_epoch or self.start_epoch == self.end_epoch:
            raise ValueError(
                f"prune.start_epoch={self.start_epoch}, prune.ramp_epoch={self.ramp_epoch}, "
                f"prune.end_epoch={self.end_epoch}: must be 0 or more and in rising order"
            )
        if self.end_epoch > epochs:
            raise ValueError(
                f"prune.end_epoch={self.end_epoch} lies after the end, train.epochs={epochs}; "
                "the paper ends pruning at half of all epochs"
            )
        if not 0 < self.ramp_factor < float("inf"):
            raise ValueError(f"prune.ramp_factor={self.ramp_factor}: must be above 0 (the paper: 1.5 to 2)")
        if not 0 < self.updates_per_epoch < float("inf"):
            raise ValueError(f"prune.updates_per_epoch={self.updates_per_epoch}: must be above 0 (the paper: 27)")
        if self.q not in (AUTO, BASELINE):
            q.per_type(self.q, self.layers)

    def resolve(self, around: Surroundings) -> str:
        """Fills in what `auto` and `baseline` stand for, and returns where q comes from.

        `auto`: the goal becomes a sparsity of the prunable weights.
        `baseline`: an earlier run of this configuration keeps its q, unless it is finished, its q is an estimate and a
        dense run exists now. Without an earlier run q comes from the finished dense run of the family's baseline; where
        there is none, from an estimate.
        """
        if self.q == AUTO:
            Pruning.resolve(self, around)
            return q.CALIBRATED
        self.weights(around.network())  # refuses patterns that match nothing, before any work is done
        if self.q != BASELINE:
            self.q = q.per_type(self.q, self.layers)
            return q.GIVEN
        dense = around.dense(self.layers)
        for before, source, finished in around.earlier():
            if source != q.ESTIMATE or not finished or dense is None:
                self.q = before.magnitudes()
                return source
        if dense is not None:
            source, self.q = dense
            return source
        self.q = q.estimated(self.weights(around.baseline()))
        return q.ESTIMATE

    def schedule(self, reached: float, steps_per_epoch: int) -> Threshold:
        """Returns the threshold over the steps of a run with so many optimizer steps per epoch, reaching `reached`."""
        start, ramp, end = (
            round(epoch * steps_per_epoch) for epoch in (self.start_epoch, self.ramp_epoch, self.end_epoch)
        )
        freq = max(1, round(steps_per_epoch / self.updates_per_epoch))
        if (end - 1) // freq * freq <= start:  # no multiple of freq between the two
            raise ValueError(
                f"prune.start_epoch={self.start_epoch:g}, prune.end_epoch={self.end_epoch:g}: too few steps in "
                f"between to prune gradually (steps per epoch: {steps_per_epoch}); raise train.epochs, lower "
                "train.batch_size, or give more speech"
            )
        theta = start_slope(reached, start, ramp, end, freq, self.ramp_factor)
        return Threshold(
            start_step=start, ramp_step=ramp, end_step=end, freq=freq, theta=theta, phi=self.ramp_factor * theta,
            cap=reached,
        )  # fmt: skip

    def rules(self, layer_types: Iterable[str], steps_per_epoch: int) -> list[Rule]:
        """Returns a rule for each layer type: its rising threshold, or with q=auto the rising share (0 to 1) of q."""
        if self.q == AUTO:
            return self.rule_of_each(layer_types, self.schedule(1.0, steps_per_epoch))
        if self.q == BASELINE:
            fix = "in a loop of your own give numbers, or q='auto' and prunable_sparsity"
            raise ValueError(f"prune.q={BASELINE}: `prune-rnn train` takes it from a dense run; {fix}")
        qs = q.per_type(self.q, self.layers)
        return [rule for t in layer_types for rule in self.rule_of_each([t], self.schedule(qs[t], steps_per_epoch))]

    def keep(self, candidates: Sequence[Candidate], scores: Sequence[Tensor], amount: float, last: bool) -> Kept:
        """Keeps what reaches the threshold: the amount, or with q=auto that share of the goal's quantile now."""
        if self.q == AUTO:
            reached = quantile(scores, self.share)
            # `at_threshold` keeps scores >= threshold: the next float32 prunes scores equal to `reached` too
            amount = next_above(reached) if last else min(amount, 1.0) * reached
        return keep.at_threshold(candidates, scores, amount, last)

    @property
    def regrows(self) -> bool:
        return self.regrow

    def led_to(self, other: Method, q_source: str) -> bool:
        """Tells whether it differs in nothing but q, which came from a dense run or an estimate."""
        if not isinstance(other, Gradual) or q_source in (q.GIVEN, q.CALIBRATED):
            return False
        open_ends: dict[str, Any] = dict.fromkeys(("q", "sparsity", "prunable_sparsity"))
        return replace(other, **open_ends) == replace(self, **open_ends)

    def magnitudes(self) -> dict[str, float] | None:
        return None if self.q == AUTO else q.per_type(self.q, self.layers)

    def phase(self) -> tuple[float, float]:
        return self.start_epoch, self.end_epoch

    def goal(self, q_source: str) -> str:
        magnitudes = self.magnitudes() or {}
        if q_source == q.CALIBRATED or not magnitudes:
            return Pruning.goal(self, q_source)
        return f"q {', '.join(f'{its:.4g} of {layer_type}' for layer_type, its in magnitudes.items())} ({q_source})"
