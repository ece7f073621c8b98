"""The stages of a network: what is counted, not how long it took."""

import time

import pytest
import torch

from prune_rnn.bench import networks, stages
from prune_rnn.bench.job import STAGES
from prune_rnn.bench.measure import Timing
from prune_rnn.bench.stages import STREAMED, Clock, Clocked
from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.network import Network
from prune_rnn.engine.quantise import Dtype

TIMING = Timing(threads=1, rounds=1, seconds=0.0)
COMMON = ["features", "convolution 1", "convolution 2", "input products", "time loops", "output", "decoding", "rest"]


@pytest.mark.parametrize(
    ("model", "own"),
    [("gru_sparse", ["row convolution"]), pytest.param("rnn_sparse", [], marks=pytest.mark.slow)],
)
def test_each_stage_of_each_way(model: str, own: list[str]) -> None:
    found = stages.measure("x", networks.random(model, "smoke", [0.5, 0.9]), TIMING)
    by_way: dict[str, set[str]] = {}
    for m in found:
        assert (m.workload, m.shape, m.streams) == (STAGES, "x", 1) and m.median > 0
        by_way.setdefault(m.candidate.name, set()).add(m.candidate.stage)
    assert all(names == {*COMMON, *own} for names in by_way.values())
    assert {m.candidate.sparsity for m in found} == {None, 0.9}  # the sparsest alone
    assert any(name.endswith(STREAMED) for name in by_way) == bool(own)  # an RNN needs whole files


def test_a_clock_adds_up_by_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of 2, 3 and 5 s."""
    ticks = iter([0.0, 2.0, 10.0, 13.0, 20.0, 25.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    clock = Clock()
    a, b = clock.on("a", lambda x: x + 1), clock.on("b", lambda: None)
    assert (a(1), b(), a(2)) == (2, None, 3)
    assert dict(clock.seconds) == {"a": 7.0, "b": 3.0}


def test_counting_changes_nothing() -> None:
    packed = networks.random("gru_sparse", "smoke", [0.9])[-1].by_dtype[Dtype.float32]
    features = torch.randn(161, 60, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(log_probs(Clocked(packed), features), log_probs(Network(packed), features))
