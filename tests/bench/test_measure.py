"""What is measured is what is said to be measured; how long it took is not looked at."""

import pytest
import torch

from prune_rnn.bench.measure import (
    BREAK_EVEN,
    FORCED,
    LAYER,
    PRODUCT,
    Candidate,
    Measurement,
    Settings,
    Shape,
    masked,
    network,
    random_networks,
    recurrent,
    steps_of,
)
from prune_rnn.config import compose_config, dumped
from prune_rnn.engine import native
from prune_rnn.model.cells import Cells

SETTINGS = Settings(streams=[2], sparsity=[0.9], threads=1, rounds=2, seconds=0.0, device="cpu")


@pytest.mark.parametrize("blocks", [False, True])
def test_masks_have_their_sparsity(blocks: bool) -> None:
    weight = masked(330, 400, 0.9, blocks, torch.Generator().manual_seed(0))
    assert weight.shape == (330, 400)
    assert float((weight == 0).float().mean()) == pytest.approx(0.9, abs=0.01)
    rows = (weight[:320] != 0).view(20, 16, 400)
    whole = (rows.all(1) | ~rows.any(1)).all()
    assert bool(whole) == blocks


@pytest.mark.parametrize("block", [PRODUCT, LAYER])
def test_all_candidates_compute_the_same(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one mask agree with each other, and the dense ones too, to the type's rounding."""
    computed: dict[tuple[float | None, str], list[tuple[str, torch.Tensor]]] = {}

    def run(work: list, *_: object) -> list[list[float]]:
        for each in work:
            results.append(each())
        return [[1.0, 1.0]] * len(work)

    results: list = []
    monkeypatch.setattr("prune_rnn.bench.measure.in_turn", run)
    shape = Shape("x", "X", Cells.gru.value, 48, "x")
    (measurements,) = recurrent(block, shape, SETTINGS)
    for m, result in zip(measurements, results, strict=True):
        found = result[0] if block == LAYER and isinstance(result, tuple) else result
        key = m.candidate.sparsity, m.candidate.structure
        if m.candidate.exact:
            computed.setdefault(key, []).append((m.candidate.name, torch.as_tensor(found).float().squeeze()))
    wanted = {(None, "dense")}
    if block == PRODUCT:  # of other libraries, too; none of them has a sparse layer
        wanted |= {(0.9, "unstructured")}
    if native.instruction_sets():
        wanted |= {(0.9, "unstructured"), (0.9, "blocks 16 x 1"), *((sparsity, FORCED) for sparsity in BREAK_EVEN)}
    assert computed.keys() >= wanted
    for same in computed.values():
        first = same[0][1]
        for name, other in same:
            torch.testing.assert_close(other.view_as(first), first, atol=0.1, rtol=0.1, msg=name)


def test_a_time_is_of_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 us for a call of the layer are 4 us for each of its 16 steps."""
    monkeypatch.setattr("prune_rnn.bench.measure.in_turn", lambda work, *_: [[64e-6] for _ in work])
    (found,) = recurrent(LAYER, Shape("x", "X", Cells.rnn.value, 32, "x"), SETTINGS)
    assert steps_of(2) == 16 and {round(m.median, 6) for m in found} == {4.0}
    assert all(m.streams == 2 and m.block == LAYER for m in found)


def test_median_quartiles_and_least_by_hand() -> None:
    m = Measurement(PRODUCT, "x", 1, Candidate("a", "int8"), [5.0, 1.0, 2.0, 4.0, 3.0])
    assert (m.median, m.best, m.quartiles) == (3.0, 1.0, (2.0, 4.0))
    assert Measurement(PRODUCT, "x", 1, m.candidate, [7.0]).quartiles == (7.0, 7.0)


def test_whole_networks_dense_and_sparse() -> None:
    config = compose_config(["model=gru_sparse", "scale=smoke", "prune=none"])
    variants = random_networks(config.model, dumped(config, ""), [0.9])
    assert [sparsity for sparsity, *_ in variants] == [None, 0.9]
    found = network("x", variants, SETTINGS)
    names = {m.candidate.name for m in found if m.candidate.sparsity is None}
    assert "torch float32" in names and len([m for m in found if m.candidate.sparsity == 0.9]) == 3
    assert all(m.median > 0 for m in found)
