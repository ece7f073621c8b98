"""From a target to a network that reaches it by its own forecast."""

import json
import re
import shlex
from pathlib import Path

import pytest

from prune_rnn.config.config import Config, compose_config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.predict import probe
from prune_rnn.predict.forecast import forecast
from prune_rnn.predict.predict import predict
from prune_rnn.predict.probe import SpeedUp
from prune_rnn.predict.targets import targets
from prune_rnn.usage import UsageError


def words_of(text: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith("prune-rnn train "))
    return shlex.split(line)[2:]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["rnn_sparse", "gru_sparse", "gru_sparse_big"])
@pytest.mark.parametrize("cer", [0.28, 0.3, 0.33])
def test_the_network_reaches_the_target_and_a_sparser_one_does_not(model: str, cer: float, tmp_path: Path) -> None:
    """And its sparsity is the one that it states, to a point."""
    own = [f"model={model}", "model.units=224", f"results={tmp_path}"]
    words = words_of(predict([f"target.cer={cer}", *own]))
    found = forecast(compose_config(words))
    assert found.cer is not None and found.cer.high <= cer + 1e-4
    sparsity = next(float(word.partition("=")[2]) for word in words if word.startswith("prune.sparsity="))
    assert 1 - found.nonzero / found.parameters == pytest.approx(sparsity, abs=0.01)
    if sparsity < 0.96:
        further = forecast(compose_config([*words[:-1], f"prune.sparsity={sparsity + 0.01:g}", *own]))
        assert further.cer is not None and further.cer.high > cer - 1e-4


@pytest.mark.slow
def test_several_targets_at_once(tmp_path: Path) -> None:
    own = ["model=gru_sparse", "target.cer=0.31", "target.parameters=70000", "target.bytes=350000"]
    found = json.loads(predict([*own, f"results={tmp_path}"], json_=True))
    assert found["not_zero"] <= 70_000 and found["bytes"][Dtype.float32.value] <= 350_000
    assert found["cer"]["high"] <= 0.31 and " model.units=" in found["command"]


def test_without_a_cer_the_best_network_that_is_small_enough(tmp_path: Path) -> None:
    found = json.loads(predict(["model=gru_sparse", "target.parameters=60000", f"results={tmp_path}"], json_=True))
    assert 40_000 < found["not_zero"] <= 60_000


def test_a_sparsity_that_is_given_holds_at_every_width(tmp_path: Path) -> None:
    """The widest GRU that keeps at most 60,000 weights at 90 % has 175 units: 59,853. The search has steps of 1 %."""
    own = ["model=gru_sparse_big", "prune.sparsity=0.9", "target.parameters=60000", f"results={tmp_path}"]
    found = json.loads(predict(own, quick=True, json_=True))
    assert 0.97 * 60_000 < found["not_zero"] <= 60_000
    assert found["not_zero"] == pytest.approx(0.1 * found["parameters"], abs=1)


def test_what_none_reaches_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"target.cer=0.15: no network of 0.25 to [\d.]+ times the baseline's units"):
        predict(["target.cer=0.15", "model=rnn_sparse", f"results={tmp_path}"])
    with pytest.raises(UsageError, match=r"the smallest that reaches the CER keeps [\d,]+ parameters"):
        predict(["target.cer=0.3", "target.parameters=9000", "model=rnn_sparse", f"results={tmp_path}"])


def test_a_dense_model_varies_its_width_alone(tmp_path: Path) -> None:
    words = words_of(predict(["target.cer=0.3", "model=rnn_dense", f"results={tmp_path}"]))
    assert [word.partition("=")[0] for word in words] == ["model", "results", "model.units"]


@pytest.mark.slow
def test_keys_of_pruning_leave_the_search_over_cells(tmp_path: Path) -> None:
    """The sparsity that is given stays; a schedule that is given leaves the sparsity open, and no dense network."""
    words = words_of(predict(["target.cer=0.3", "prune.sparsity=0.9", f"results={tmp_path}"]))
    assert words[0].endswith("_sparse") and [word for word in words if "sparsity" in word] == ["prune.sparsity=0.9"]
    own = ["target.cer=0.3", "model=gru_sparse", "model.units=224", f"results={tmp_path}"]
    for further in (["prune.start_epoch=5"], ["prune=hard"]):
        words = words_of(predict([*own, *further]))
        assert words[-1].startswith("prune.sparsity=") and "prune=none" not in words


def test_a_speed_up_alone_keeps_the_width_and_finds_the_least_sparsity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine where a layer is 0.2 / density times as fast, 80 % of its weights go for once, 90 % for twice.

    328,832 of 343,273 can go: 76.6 and 86.2 % of all, in steps of 0.1 %.
    """

    def speed_up(config: Config, density: float, seconds: float) -> SpeedUp:
        return SpeedUp(dense=1.0, dense_name="", sparse=density / 0.2, sparse_name="")

    monkeypatch.setattr(probe, "speed_up", speed_up)
    for times, sparsity in ((1.0, 0.767), (2.0, 0.863)):
        words = words_of(predict([f"target.speedup={times}", "model=gru_sparse", f"results={tmp_path}"]))
        assert words[0] == "model=gru_sparse" and words[-1] == f"prune.sparsity={sparsity}"
    with pytest.raises(UsageError, match=r"target\.speedup=2: is timed here; leave out --quick"):
        predict(["target.speedup=2", "model=gru_sparse"], quick=True)


@pytest.mark.slow
def test_the_key_that_leaves_no_network_is_named_and_training_only_for_a_cer(tmp_path: Path) -> None:
    own = f"results={tmp_path}"
    with pytest.raises(UsageError, match=r"cer=0.3: no network with model.units=50 meets it; leave out model.units"):
        predict(["target.cer=0.3", "model.units=50", own])
    with pytest.raises(UsageError, match=r"baseline's units with model=rnn_dense meets it; leave out model=rnn_dense"):
        predict(["target.cer=0.15", "model=rnn_dense", own])
    for target in ("target.parameters=10", "target.bytes=1"):
        with pytest.raises(UsageError, match=r"baseline's units meets it; give a weaker target$"):
            predict([target, "model=gru_sparse", own])


def test_with_a_start_the_width_is_given(sparse_start: Path, tmp_path: Path) -> None:
    words = ["target.parameters=5000", "scale=smoke", "model.lookahead=7", f"init={sparse_start}"]
    words.append(f"results={tmp_path}")
    with pytest.raises(UsageError, match=r"has one model and width; give them: model=..., model.units=..."):
        predict([*words, "model=gru_sparse"])
    with pytest.raises(UsageError, match=r"model.units is 24 there and 16 here"):
        predict([*words, "model=gru_sparse", "model.units=16"])
    assert "model.units=24" in predict([*words, "model=gru_sparse", "model.units=24"], quick=True)


def test_a_network_that_keeps_its_zeros_takes_no_target(tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(b"")
    with pytest.raises(UsageError, match=r"prune=fixed: keeps the width and the zeros of init; leave out the target"):
        predict(["target.cer=0.3", "prune=fixed", f"init={tmp_path / 'packed'}", f"results={tmp_path}"])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("target.cer=27", "target.cer=27: must be a fraction between 0 and 1, such as 0.27"),
        ("target.cer=no", "target.cer=no: must be a fraction"),
        ("target.bytes=-1", "target.bytes=-1: must be a number above 0"),
        ("target.size=3", "target.size=3: target.size is no target; choose one of target.cer, target.parameters, "),
        ("target.cerr=0.3", "target.cerr=0.3: target.cerr is no target; did you mean 'target.cer'?"),
    ],
)
def test_wrong_targets_are_refused(word: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        targets([word])


def test_other_words_are_left_alone() -> None:
    wanted, rest = targets(["model=gru_dense", "target.bytes=100", "seed=1"])
    assert wanted is not None and wanted.bytes == 100 and wanted.cer is None and rest == ["model=gru_dense", "seed=1"]
    assert targets(["seed=1"]) == (None, ["seed=1"])
