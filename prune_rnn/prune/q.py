"""q, the magnitude that the threshold reaches, and where it comes from.

The paper's heuristic is the 90th percentile of |w| of a trained dense network.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import float_info
from typing import Any

from prune_rnn.prune.mask import magnitude_quantile
from prune_rnn.prune.select import Weights

AUTO, BASELINE = "auto", "baseline"  # what q may be besides numbers
GIVEN, CALIBRATED, ESTIMATE = "given", "calibrated", "estimate"  # sources of q; any other is the name of a dense run

PERCENTILE = 0.9  # the paper's heuristic, section 3.1
# q after training over q at initialisation, of gru_dense at scale=small, seed 0 (results/runs). At other widths and on
# other data it is a guess.
GROWTH = {"recurrent": 1.58, "linear": 3.19}


def _rounded(q: float) -> float:
    return float(f"{q:.4g}")  # it becomes part of a run's identity


def measured(weights: Weights) -> dict[str, float]:
    """Returns the 90th percentile of |w| for each layer type, over all its weights; weights as `select` returns."""
    return {t: _rounded(magnitude_quantile(list(group.values()), PERCENTILE)) for t, group in weights.items()}


def estimated(weights: Weights) -> dict[str, float]:
    """Returns the q to expect after dense training, from the shapes alone: meta tensors will do.

    Weights start uniform in +-b with b = inputs^-1/2, so a share min(q / b, 1) of a matrix lies below q; q is where
    90 % of all the layer type's weights do, times GROWTH (1 for layer types that were never measured).
    """
    found = {}
    for layer_type, group in weights.items():
        matrices = [(p.numel(), (p.numel() // len(p)) ** -0.5) for p in group.values()]
        low, high = 0.0, max(bound for _, bound in matrices)
        for _ in range(60):
            q = (low + high) / 2
            below = sum(count * min(q / bound, 1) for count, bound in matrices) / sum(count for count, _ in matrices)
            low, high = (q, high) if below < PERCENTILE else (low, q)
        found[layer_type] = _rounded(high * GROWTH.get(layer_type, 1.0))
    return found


def per_type(q: Any, layer_types: Iterable[str]) -> dict[str, float]:
    """Returns q of each layer type; ValueError unless each is a number above 0 and no layer type is left out.

    q: one number for all, or one for each layer type.
    """
    wanted = list(layer_types)
    if isinstance(q, str):
        raise ValueError(f"prune.q={q}: give a number, one per layer type, {AUTO} or {BASELINE}")
    qs: dict[str, Any] = q if isinstance(q, dict) else dict.fromkeys(wanted, q)
    if set(qs) != set(wanted):
        raise ValueError(f"prune.q={q}: give one number for each of the layer types {', '.join(wanted)}")
    for layer_type, value in qs.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= float_info.max:
            raise ValueError(
                f"prune.q={q}: q of {layer_type} must be a magnitude above 0, not a sparsity; try prune.sparsity=0.9"
            )
    return {layer_type: float(value) for layer_type, value in qs.items()}
