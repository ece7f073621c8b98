"""N:M keeps exactly N of M, and its sparsity follows from the shapes."""

import re
from typing import Any

import pytest
import torch
from torch import nn

from prune_rnn.config.config import compose_config
from prune_rnn.prune.nm import NM
from prune_rnn.run.resolve import resolve
from prune_rnn.usage import UsageError

SMALL = ["model=gru_sparse", "scale=smoke", "prune=nm", "model.units=8"]


def config(**changes: Any) -> NM:
    values = {"start_epoch": 0.0, "end_epoch": 0.5, "updates_per_epoch": 10.0, "n": 1, "m": 4}
    return NM(**{**values, "layers": {"recurrent": ["w"]}, **changes})


def test_weights_of_a_group_go_one_after_another() -> None:
    """The curve rises to 0.75: at 0.25 of it one of four goes, at 0.5 two, at the end three."""
    weight = nn.Parameter(torch.randn(6, 8, generator=torch.Generator().manual_seed(0)))
    masker = config(prunable_sparsity=0.75).masker({"recurrent": {"w": weight}}, 10)
    left = []
    for step in range(1, 6):
        masker.after_step(step)
        (kept,) = masker.masks["w"].view(6, 2, 4).sum(2).unique().tolist()
        left.append(kept)
    assert left == [3, 2, 2, 2, 1]  # .75 (1 - (1 - k / 5)^3) = .366, .588, .702, .744, .75


def test_the_sparsity_follows_from_the_shapes() -> None:
    """2 of 3: of a row of 8 columns 1 + 1 + 0 go."""
    found = resolve(
        compose_config([*SMALL, "prune.n=2", "prune.m=3", "prune.layers={recurrent: [recurrent.*.recurrent.weight]}"])
    )
    assert found[0].prune.prunable_sparsity == 0.25  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("prune.sparsity=0.5", "prune.sparsity=0.5: prune.n and prune.m fix the sparsity; leave it out"),
        ("prune.prunable_sparsity=0.5", "prune.prunable_sparsity=0.5: prune.n=2 and prune.m=16 make 0."),
        ("prune.n=16", "prune.n=16"),
        ("prune.m=1", "prune.m=1"),
    ],
)
def test_what_contradicts_n_of_m_is_refused(word: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        resolve(compose_config([*SMALL, word]))


def test_a_loop_of_ones_own_needs_no_sparsity_and_another_is_refused() -> None:
    """3 of 4 of each row of 8 columns go: 0.75."""
    weights = {"recurrent": {"w": nn.Parameter(torch.randn(6, 8, generator=torch.Generator().manual_seed(0)))}}
    masker = config().masker(weights, 10)
    for step in range(1, 6):
        masker.after_step(step)
    assert masker.sparsity() == {"recurrent": 0.75}
    assert config(prunable_sparsity=0.75 + 1e-9).masker(weights, 10).masks.keys() == {"w"}
    with pytest.raises(UsageError, match=r"prune\.prunable_sparsity=0\.5: prune\.n=1 and prune\.m=4 make 0\.75; leave"):
        config(prunable_sparsity=0.5).masker(weights, 10)
