"""What stays is counted exactly; of equal scores, what was pruned before goes first."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from prune_rnn.prune.keep import at_sparsity, at_threshold, in_blocks, of_groups, pruned_of_groups
from prune_rnn.prune.score import Candidate


def candidates(*scores: Tensor, gates: int = 1) -> list[Candidate]:
    return [Candidate(name="w", value=s, mask=torch.ones_like(s, dtype=torch.bool), gates=gates) for s in scores]


def shuffled(*shape: int, seed: int = 0) -> Tensor:
    """1 to n in a shuffled order."""
    count = torch.Size(shape).numel()
    return (torch.randperm(count, generator=torch.Generator().manual_seed(seed)) + 1.0).view(shape)


def test_the_threshold_itself_stays() -> None:
    score = torch.tensor([[2.0, 1.0, 0.5], [0.0, 1.0, 0.75]])
    kept = at_threshold(candidates(score), [score], 1.0, False)
    assert kept.masks[0].tolist() == [[True, True, False], [False, True, False]]
    assert kept.threshold == 1 and kept.masks[0].dtype == torch.bool
    assert at_threshold(candidates(score), [score], 0.0, False).masks[0].all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("amount", [0.0, 0.01, 0.5, 0.9])
def test_a_sparsity_is_met_to_one_weight_over_all_together(amount: float, dtype: torch.dtype) -> None:
    scores = list(shuffled(100).to(dtype).view(10, 10).split([3, 7]))
    kept = at_sparsity(candidates(*scores), scores, amount, False)
    pruned = [score[~mask] for score, mask in zip(scores, kept.masks, strict=True)]
    assert sorted(torch.cat(pruned).tolist()) == list(range(1, round(100 * amount) + 1))


def test_blocks_go_whole_the_lowest_maximum_first() -> None:
    """Maxima of the 2 x 2 blocks: 4 and 8 above, 7 and 9 below. A quarter: the first; 30 %: one more."""
    score = torch.tensor([[1.0, 4.0, 8.0, 0.1], [3.0, 2.0, 0.2, 0.3], [5.0, 7.0, 9.0, 0.4], [6.0, 0.6, 0.7, 0.8]])
    block = torch.tensor([[False, True], [True, True]])
    for amount, wanted in ((0.25, block), (0.3, torch.tensor([[False, True], [False, True]]))):
        kept = in_blocks(candidates(score), [score], amount, 2, 2)
        assert torch.equal(kept.masks[0], wanted.repeat_interleave(2, 0).repeat_interleave(2, 1))
        assert kept.threshold is None
    assert in_blocks(candidates(score), [score], 0.0, 2, 2).masks[0].all()


def test_blocks_end_with_their_gate() -> None:
    """Two gates of 3 units, blocks of 2 x 1: rows 0-1, 2, 3-4, 5. Row 2 is the lowest, though row 3 is not."""
    score = torch.tensor([[5.0], [5.0], [1.0], [9.0], [9.0], [7.0]])
    kept = in_blocks(candidates(score, gates=2), [score], 0.16, 2, 1)
    assert kept.masks[0].flatten().tolist() == [True, True, False, True, True, True]
    assert not in_blocks(candidates(score), [score], 0.16, 2, 1).masks[0][:2].any()  # one gate: rows 0-1, 2-3, 4-5


@given(
    st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.floats(0.01, 0.99)
)
def test_blocks_meet_the_goal_to_one_block(
    gates: int, units: int, width: int, rows: int, columns: int, amount: float
) -> None:
    score = shuffled(gates * units, width)
    (mask,) = in_blocks(candidates(score, gates=gates), [score], amount, rows, columns).masks
    pruned = int((~mask).sum())
    assert amount * mask.numel() - 1e-5 <= pruned < amount * mask.numel() + 1 + rows * columns
    for gate in range(gates):
        for row in range(0, units, rows):
            for column in range(0, width, columns):
                first = gate * units + row
                block = mask[first : first + min(rows, units - row), column : column + columns]
                assert block.all() or not block.any()


def test_of_equal_blocks_those_pruned_before_go_first() -> None:
    score = torch.zeros(4, 1)
    before = Candidate(name="w", value=score, mask=torch.tensor([[True], [True], [False], [True]]))
    assert in_blocks([before], [score], 0.25, 1, 1).masks[0].flatten().tolist() == [True, True, False, True]


def test_groups_keep_their_highest() -> None:
    """2 of 4; the last group of a row has 3 columns, or 1."""
    score = torch.tensor([[1.0, 4.0, 2.0, 3.0, 9.0, 7.0, 8.0], [8.0, 7.0, 6.0, 5.0, 0.2, 0.1, 0.3]])
    (mask,) = of_groups(candidates(score), [score], 2, 4).masks
    assert mask.int().tolist() == [[0, 1, 0, 1, 1, 0, 1], [1, 1, 0, 0, 1, 0, 1]]
    (mask,) = of_groups(candidates(score[:, :5]), [score[:, :5]], 2, 4).masks
    assert mask.int().tolist() == [[0, 1, 0, 1, 1], [1, 1, 0, 0, 1]]


def test_of_equal_scores_those_kept_before_stay() -> None:
    score = torch.zeros(1, 4)
    before = Candidate(name="w", value=score, mask=torch.tensor([[False, True, False, True]]))
    assert of_groups([before], [score], 2, 4).masks[0].tolist() == [[False, True, False, True]]


@given(st.integers(1, 5), st.integers(1, 20), st.integers(2, 8), st.data())
def test_groups_prune_what_their_shape_says(rows: int, width: int, group: int, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, group - 1))
    score = shuffled(rows, width)
    (mask,) = of_groups(candidates(score), [score], kept, group).masks
    assert int((~mask).sum()) == pruned_of_groups((rows, width), kept, group)
    for start in range(0, width, group):
        assert (mask[:, start : start + group].sum(1) == min(kept, width - start)).all()
