"""The benchmark's matrices have the zeros that the table says they have."""

import pytest
import torch

from prune_rnn.bench.matrices import BLOCKED, BREAK_EVEN, FORCED, OWN_MASK, UNSTRUCTURED, Shape, masked, matrices
from prune_rnn.model.cells import Cells


@pytest.mark.parametrize("blocks", [False, True])
def test_masks_have_their_sparsity(blocks: bool) -> None:
    weight = masked(330, 400, 0.9, blocks, torch.Generator().manual_seed(0))
    assert weight.shape == (330, 400)
    assert float((weight == 0).float().mean()) == pytest.approx(0.9, abs=0.01)
    rows = (weight[:320] != 0).view(20, 16, 400)
    whole = (rows.all(1) | ~rows.any(1)).all()
    assert bool(whole) == blocks


def test_random_masks_of_every_kind() -> None:
    dense, sparse = matrices(Shape("x", "X", Cells.gru.value, 32), [0.9], break_even=True)
    assert dense.shape == (96, 32) and bool(dense.all())
    kinds = [(each.sparsity, each.mask) for each in sparse]
    assert kinds == [(0.9, UNSTRUCTURED), (0.9, BLOCKED), *((sparsity, FORCED) for sparsity in BREAK_EVEN)]
    assert {each.mask for each in matrices(Shape("x", "X", Cells.gru.value, 32), [0.9], break_even=False)[1]} == {
        UNSTRUCTURED,
        BLOCKED,
    }


def test_a_model_keeps_its_mask() -> None:
    weight = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    dense, (own,) = matrices(Shape("x", "X", Cells.rnn.value, 2, weight), [0.9], break_even=True)
    assert dense is weight and own.weight is weight
    assert (own.sparsity, own.mask) == (0.75, OWN_MASK)
