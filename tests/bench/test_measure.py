"""What is measured is what is said to be measured; how long it took is not looked at."""

from collections.abc import Callable

import pytest
import torch

from prune_rnn.bench import networks, ours
from prune_rnn.bench.candidate import Candidate
from prune_rnn.bench.job import LAYER, PRODUCT
from prune_rnn.bench.matrices import BLOCKED, BREAK_EVEN, FORCED, UNSTRUCTURED, Shape
from prune_rnn.bench.measure import Timing, network, recurrent, steps_of
from prune_rnn.engine import compiled
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation

TIMING = Timing(threads=1, rounds=2, seconds=0.0)


@pytest.mark.parametrize("workload", [PRODUCT, LAYER])
def test_all_ways_of_a_group_compute_the_same(workload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one mask agree with each other, and the dense ones too, to the type's rounding."""
    if workload == LAYER and not compiled.instruction_sets():
        pytest.skip("the engine isn't compiled: there is no other sparse layer")
    computed: dict[tuple[float | None, str], list[tuple[str, torch.Tensor]]] = {}
    results: list = []

    def run(work: list, *_: object) -> list[list[float]]:
        results.extend(each() for each in work)
        return [[1.0, 1.0]] * len(work)

    monkeypatch.setattr("prune_rnn.bench.measure.in_turn", run)
    (measurements,) = recurrent(workload, Shape("x", "X", Cells.gru.value, 48), [2], [0.9], TIMING)
    for m, result in zip(measurements, results, strict=True):
        found = result[0] if isinstance(result, tuple) else result  # the engine's layer returns its last state too
        if m.candidate.exact:
            key = m.candidate.sparsity, m.candidate.mask
            computed.setdefault(key, []).append((m.candidate.name, torch.as_tensor(found).float().squeeze()))
    wanted = {(None, "dense"), (0.9, UNSTRUCTURED)}
    if compiled.instruction_sets():
        wanted |= {(0.9, BLOCKED), *((sparsity, FORCED) for sparsity in BREAK_EVEN)}
    assert computed.keys() == wanted
    for same in computed.values():
        first = same[0][1]
        for name, other in same:
            torch.testing.assert_close(other.view_as(first), first, atol=0.1, rtol=0.1, msg=name)


def test_the_loop_that_trains_agrees_with_doubles(layer: Callable, reference: Callable) -> None:
    for cell in (each.value for each in Cells):
        job = layer(cell, Activation.clipped_relu, 3)
        torch.testing.assert_close(ours.trained(job), reference(job).float(), atol=1e-4, rtol=1e-5)


def test_a_time_is_of_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 us for a call of the layer are 4 us for each of its 16 steps."""
    monkeypatch.setattr("prune_rnn.bench.measure.in_turn", lambda work, *_: [[64e-6] for _ in work])
    (found,) = recurrent(LAYER, Shape("x", "X", Cells.rnn.value, 32), [2], [0.9], TIMING)
    assert steps_of(2) == 16 and {round(m.median, 6) for m in found} == {4.0}
    assert all(m.streams == 2 and m.workload == LAYER for m in found)


def test_a_group_for_each_number_of_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prune_rnn.bench.measure.in_turn", lambda work, *_: [[1.0] for _ in work])
    groups = list(recurrent(PRODUCT, Shape("x", "X", Cells.rnn.value, 32), [1, 4], [0.9], TIMING))
    assert [group[0].streams for group in groups] == [1, 4]
    assert [m.candidate.name for m in groups[0]] == [m.candidate.name for m in groups[1]]


def test_on_a_device_the_time_ends_when_the_device_does(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: calls.append("waited"))
    Timing(1, 1, 0.0, "cuda").of(PRODUCT, "x", 1, [(Candidate("a", "int8"), lambda: calls.append("ran"))])
    assert calls and calls[::2] == ["ran"] * (len(calls) // 2) and calls[1::2] == ["waited"] * (len(calls) // 2)


def test_whole_networks_dense_and_sparse() -> None:
    found = network("x", networks.random("gru_sparse", "smoke", [0.9]), TIMING)
    names = {m.candidate.name for m in found if m.candidate.sparsity is None}
    assert "torch float32" in names and len([m for m in found if m.candidate.sparsity == 0.9]) == 3
    assert all(m.median > 0 for m in found)
