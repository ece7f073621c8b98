"""A packed network against the network that was trained."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype

BINS = 161
STATISTICS = torch.zeros(BINS), torch.ones(BINS)


@pytest.mark.parametrize("name", ["gru_sparse", "rnn_sparse", "lstm_sparse", "lstm_sparse model.bidirectional=true"])
@pytest.mark.parametrize("frames", [1, 2, 9, 61])
def test_float32_gives_the_checkpoints_outputs(network: Callable, name: str, frames: int) -> None:
    model, kept = network(*name.split())
    features = torch.randn(BINS, frames)
    packed = Network(pack(model.state_dict(), kept, Dtype.float32, *STATISTICS))
    with torch.inference_mode():
        wanted = model(features[None], torch.tensor([frames]))[:, 0]
        torch.testing.assert_close(log_probs(packed, features), wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("dtype", "tolerance"), [(Dtype.bfloat16, 0.1), (Dtype.int8, 0.3)])
def test_other_types_come_near(network: Callable, dtype: Dtype, tolerance: float) -> None:
    model, kept = network("gru_sparse")
    features = torch.randn(BINS, 41)
    packed = Network(pack(model.state_dict(), kept, dtype, *STATISTICS))
    with torch.inference_mode():
        wanted = model(features[None], torch.tensor([41]))[:, 0]
        error = (log_probs(packed, features) - wanted).abs().max()
    assert 1e-6 < error < tolerance  # it is rounded, and no worse


def test_all_matrices_and_nothing_of_training_is_packed(network: Callable) -> None:
    model, kept = network("rnn_sparse")
    packed = pack(model.state_dict(), kept, Dtype.float32, *STATISTICS)
    recurrent = [f"recurrent.{i}.{part}" for i in range(7) for part in ("input", "recurrent", "recurrent_reverse")]
    assert sorted(packed.matrices) == sorted([*recurrent, "linear", "output"])
    norms = [f"{layer}.{part}" for layer in ("conv.0", "conv.1", "linear", *(f"recurrent.{i}" for i in range(7)))
             for part in ("gain", "shift")]  # fmt: skip
    others = ["conv.0.conv.weight", "conv.1.conv.weight", "output.bias", "features.mean", "features.deviation"]
    assert sorted(packed.tensors) == sorted([*norms, *others])


def test_the_shape_comes_from_what_a_run_keeps(network: Callable) -> None:
    model, kept = network("gru_sparse")
    config = kept.model
    assert (config.units, config.lookahead, config.name) == (24, 7, "gru_sparse")
    assert config.layers == len(model.recurrent)


def test_deploying_imports_neither_hydra_nor_training(tmp_path: Path) -> None:
    """A server that transcribes loads what computes, and nothing else of this project."""
    line = """
import sys
from prune_rnn.deploy import network, streams
ours = {name.split(".")[1] for name in sys.modules if name.startswith("prune_rnn.")}
print(*sorted(ours), *(name for name in sys.modules if name.startswith("prune_rnn.config.")))
print(*sorted(name for name in sys.modules if name.startswith(("hydra", "omegaconf", "pandas", "torchaudio"))))
"""
    done = subprocess.run([sys.executable, "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    ours, heavy = done.stdout.splitlines()
    few = {"cpu", "data", "deploy", "engine", "files", "integrity", "model", "native", "paths", "printed", "speech"}
    few |= {"typed", "usage", "values", "config", "prune_rnn.config.option"}  # which imports nothing of ours
    assert set(ours.split()) <= few and not heavy
