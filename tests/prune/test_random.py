"""Random pruning looks at no weight, and each seed prunes others."""

import itertools

import torch
from torch import Tensor, nn

from prune_rnn.prune.random import Random


def masks(weight: Tensor, seed: int) -> list[Tensor]:
    """Of each update, from step 1 to 5."""
    config = Random(start_epoch=0.0, end_epoch=0.5, updates_per_epoch=10.0, prunable_sparsity=0.8, layers={"a": ["w"]})
    masker = config.masker({"a": {"w": nn.Parameter(weight.clone())}}, 10, seed=seed)
    found = []
    for step in range(1, 6):
        masker.after_step(step)
        found.append(masker.masks["w"])
    assert masker.thresholds == {}
    return found


def test_the_seed_alone_decides() -> None:
    weight = torch.randn(20, 50)
    own, other, shrunk = masks(weight, 0), masks(weight, 1), masks(weight * torch.rand(20, 50), 0)
    assert int((~own[-1]).sum()) == int((~other[-1]).sum()) == 800
    assert torch.equal(own[-1], shrunk[-1]) and not torch.equal(own[-1], other[-1])


def test_what_is_pruned_stays_pruned() -> None:
    found = masks(torch.randn(20, 50), 0)
    for before, after in itertools.pairwise(found):
        assert not (after & ~before).any() and after.sum() < before.sum()
