"""Blocks are of the stated size, within a gate, and end on the goal."""

from typing import Any

import pytest
import torch
from torch import nn

from prune_rnn.prune.blocks import Blocks


def config(**changes: Any) -> Blocks:
    values = {"start_epoch": 0.0, "end_epoch": 0.5, "updates_per_epoch": 10.0, "prunable_sparsity": 0.75}
    return Blocks(**{**values, "layers": {"recurrent": ["w"]}, **changes})


@pytest.mark.parametrize(("rows", "columns"), [(16, 1), (4, 4), (8, 2)])
def test_its_masks_are_blocks_of_each_gate(rows: int, columns: int) -> None:
    weight = nn.Parameter(torch.randn(3 * 32, 32, generator=torch.Generator().manual_seed(0)))
    masker = config(rows=rows, columns=columns).masker({"recurrent": {"w": weight}}, 10, gates={"w": 3})
    for step in range(1, 6):
        masker.after_step(step)
        blocks = masker.masks["w"].view(96 // rows, rows, 32 // columns, columns).float().mean((1, 3))
        assert set(blocks.unique().tolist()) <= {0.0, 1.0}
    assert masker.sparsity() == {"recurrent": 0.75}
    assert masker.thresholds == {}


@pytest.mark.parametrize("key", ["rows", "columns"])
def test_a_block_of_nothing_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"prune.{key}=0"):
        config(**{key: 0}).check(20)
