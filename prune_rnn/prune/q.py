"""The paper's heuristic for q: the 90th percentile of |w| of a trained dense network, or an estimate of it."""

from __future__ import annotations

from torch import nn

from prune_rnn.prune.mask import magnitude_quantile

PERCENTILE = 0.9  # the paper's heuristic, section 3.1
# By how much training widens the weights: q after training over q at initialisation, of gru_dense at scale=small, seed
# 0 (results/runs). At other widths and on other data it is a guess.
GROWTH = {"recurrent": 1.58, "linear": 3.19}


def _rounded(q: float) -> float:
    return float(f"{q:.4g}")  # it becomes part of a run's identity


def measured(weights: dict[str, dict[str, nn.Parameter]]) -> dict[str, float]:
    """Returns the 90th percentile of |w| for each layer type, over all its weights; weights as `select` returns."""
    return {t: _rounded(magnitude_quantile(list(group.values()), PERCENTILE)) for t, group in weights.items()}


def estimated(weights: dict[str, dict[str, nn.Parameter]]) -> dict[str, float]:
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
