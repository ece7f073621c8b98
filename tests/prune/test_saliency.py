"""Saliency prunes by |w dL/dw|, not by |w|."""

import torch
from torch import nn

from prune_rnn.prune.saliency import Saliency


def test_a_large_weight_goes_where_the_loss_does_not_need_it() -> None:
    weight = nn.Parameter(torch.tensor([[5.0, -1.0, 2.0, 3.0]]))
    config = Saliency(
        start_epoch=0.0, end_epoch=0.1, updates_per_epoch=10.0, prunable_sparsity=0.5, layers={"a": ["w"]}
    )
    masker = config.masker({"a": {"w": weight}}, 10)
    weight.grad = torch.tensor([[0.1, -4.0, 1.0, -0.1]])  # |w dL/dw|: 0.5, 4, 2, 0.3
    masker.mask_gradients(1)
    masker.after_step(1)
    assert weight.tolist() == [[0, -1, 2, 0]]
