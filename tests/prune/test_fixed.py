"""What is zero as training begins stays zero, and nothing else is pruned."""

import torch

from prune_rnn.config.config import compose_config
from prune_rnn.prune.fixed import Fixed
from prune_rnn.prune.methods import METHODS


def test_zeros_stay_and_nothing_more_is_pruned() -> None:
    weight = torch.nn.Parameter(torch.tensor([[1.0, 0.0], [0.0, -2.0]]))
    prune = Fixed(layers={"linear": ["linear.weight"]})
    masker = prune.masker({"linear": {"linear.weight": weight}}, 10)
    masker.keep_zeros()
    assert masker.done(0) and masker.sparsity() == {"linear": 0.5} and masker.thresholds == {}
    for step in (1, 2):
        with torch.no_grad():
            weight.add_(1.0)
        masker.after_step(step)
    assert weight.tolist() == [[3.0, 0.0], [0.0, 0.0]]


def test_it_is_an_option_like_any_other() -> None:
    model = compose_config(["model=gru_sparse"]).model
    prune = Fixed()
    prune.complete(model)
    prune.check(1)
    assert METHODS["fixed"] is Fixed and prune.starts_sparse and prune.layers == model.prunable
    assert prune.prunes and prune.phase() == (0, 0) and prune.goal("") and prune.magnitudes() is None
