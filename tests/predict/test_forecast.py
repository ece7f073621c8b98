"""What is said of a network, and in which ways it lies outside of those that were trained."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from prune_rnn.config.config import compose_config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.predict import networks, printed
from prune_rnn.predict.forecast import Forecast, forecast
from prune_rnn.run.store import Run


def of(tmp_path: Path, *overrides: str) -> Forecast:
    return forecast(compose_config([*overrides, f"results={tmp_path}"]))


def test_a_network_of_the_package_without_any_results(tmp_path: Path) -> None:
    """gru_sparse: 39,132 of 343,273 parameters stayed, 188 kB, a CER of 30.9 to 32.2 % in three runs."""
    found = of(tmp_path, "model=gru_sparse")
    assert abs(found.nonzero - 39_132) <= 1 and found.sizes[Dtype.float32] == pytest.approx(188_306, rel=0.01)
    assert found.cer is not None and found.cer.low < 0.3092 and found.cer.high > 0.3218 and found.beyond == []
    assert found.ratio is not None and 1.1 < found.ratio.cer < 1.3
    trained = pd.read_csv(networks.SHIPPED)
    alike = trained["recipe"] == trained["recipe"].mode()[0]
    assert found.by == (alike.sum(), len(trained))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model=gru_dense", "model.units=784"], "wider (784 units) than the widest network of 392 units"),
        (["model=gru_dense", "model.units=20"], "narrower than the narrowest of 36 units"),
        (["model=gru_dense", "model.layers=2"], "no network had these layers"),
        (["model=gru_dense", "train.steps_per_epoch=20"], "no network had just this speech and these steps"),
        (["model=gru_dense", "train.momentum=0.5"], "no network was trained like this"),
        (["model=gru_sparse", "prune=nm"], "pruned by prune=nm with its defaults: what that costs is assumed"),
        (["model=gru_sparse", "prune.end_epoch=18"], "no network was pruned in these epochs"),
        (["model=gru_sparse", "prune.prunable_sparsity=0.985"], "below 2 % of the weights, where one network alone"),
    ],
)
def test_what_lies_outside_is_said(tmp_path: Path, overrides: list[str], words: str) -> None:
    found = of(tmp_path, *overrides)
    assert words in "; ".join(found.beyond) and words in " ".join(printed.text(found).split())


def test_layers_of_ones_own_are_counted(tmp_path: Path) -> None:
    """Four tenths of 343,273 parameters, 137,309, of the 3 x 384 x 128 of the recurrent matrices."""
    layers = "prune.layers={recurrent: [recurrent.*.recurrent.weight]}"
    found = of(tmp_path, "model=gru_sparse", layers, "prune.sparsity=0.4")
    assert found.parameters - found.nonzero == 137_309
    assert found.setting.density == pytest.approx(1 - 137_309 / 328_832) and found.setting.variant.startswith("layers=")


def test_own_speech_needs_one_dense_run(fabricate: Callable[..., Run], corpus: list[str], tmp_path: Path) -> None:
    """Without it the CER is not known, but what pruning costs is; with it the level is that of the run."""
    before = of(tmp_path / "results", "model=gru_sparse", *corpus)
    assert before.cer is None and before.ratio is not None and "no finished dense run" in printed.cer(before)
    assert printed.as_json(before)["cer"] is None
    fabricate("gru_dense", *corpus, edits=[11])
    after = of(tmp_path / "results", "model=gru_sparse", *corpus)
    assert after.cer is not None and after.cer.cer == pytest.approx(0.5 * after.ratio.cer, rel=0.05)  # type: ignore[union-attr]
    assert after.by[0] == 1


def test_json_holds_plain_values(tmp_path: Path) -> None:
    values = json.loads(json.dumps(printed.as_json(of(tmp_path, "model=gru_sparse"))))
    assert values["not_zero"] < values["parameters"] and len(values["sparsity"]["by_epoch"]["linear"]) == 20
    assert values["cer"]["low"] < values["cer"]["median"] < values["cer"]["high"]
