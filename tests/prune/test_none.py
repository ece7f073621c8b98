"""Dense training is left alone."""

import torch
from torch import nn

from prune_rnn.prune.none import Dense


def test_it_masks_nothing_and_is_done_from_the_beginning() -> None:
    model = nn.Linear(2, 2)
    before = model.weight.detach().clone()
    masker = Dense().masker(Dense().weights(model), 10)
    assert masker.done(0)
    masker.after_step(1)
    masker.check()
    assert masker.parameters == masker.sparsity() == masker.thresholds == {}
    assert torch.equal(model.weight, before)


def test_it_says_that_it_prunes_nothing() -> None:
    assert not Dense().prunes and Dense().phase() is None and Dense().goal("") == ""
