"""The command: what it prints, draws and times."""

import json
from pathlib import Path

import pytest

from prune_rnn.predict import predict as module
from prune_rnn.predict.predict import predict
from prune_rnn.predict.probe import SpeedUp
from prune_rnn.usage import UsageError


def test_quick_times_nothing(tmp_path: Path) -> None:
    printed = predict(["model=gru_sparse", f"results={tmp_path}"], quick=True)
    assert "test CER" in printed and "timed here" not in printed


def test_timed(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEP_SECONDS", 0.01)
    monkeypatch.setattr(module, "_SPEED_SECONDS", 0.01)
    found = json.loads(predict(["model=gru_sparse", "prune.sparsity=0.4", *tiny], json_=True))
    assert found["train_seconds"] > 0 and found["train_bytes"] > 12 * found["parameters"]
    assert found["speed_up"] is None or found["speed_up"] > 0


def test_a_network_found_by_its_speed_up_is_timed_and_no_other(
    tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(module, "timed", lambda of: seen.append(of) or (None, None))
    monkeypatch.setattr(module.inverse.probe, "speed_up", lambda *_: SpeedUp(2e-6, "dense", 1e-6, "sparse"))
    words = ["model=gru_sparse", f"results={tmp_path}"]
    assert " prune.sparsity=0.5\n" in predict([*words, "target.speedup=2"])
    assert [of.config.prune.method for of in seen] == ["gradual"]
    predict([*words, "target.parameters=100000"])
    assert len(seen) == 1


def test_plot(tmp_path: Path) -> None:
    predict(["model=gru_sparse", f"results={tmp_path}"], plot=tmp_path / "forecast.png", quick=True)
    assert (tmp_path / "forecast.png").stat().st_size > 10_000
    with pytest.raises(UsageError, match=r"--plot .*forecast.txt: must end in .png, .svg, .pdf"):
        predict(["model=gru_sparse", f"results={tmp_path}"], plot=tmp_path / "forecast.txt", quick=True)
