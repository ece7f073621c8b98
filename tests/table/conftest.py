"""Runs that nobody trained: folders as `prune-rnn train` leaves them, with numbers chosen by the test."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from prune_rnn.config import compose_config
from prune_rnn.run.record import Result, read_result, recorded
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.store import Run

REFERENCE = "the cat sat on the mat"  # 22 characters
Fabricate = Callable[..., Run]


def history(epochs: int, sparse: bool, level: float) -> list[dict[str, Any]]:
    """Costs that fall from 160 to about `level`, thresholds and sparsity that rise until half of the epochs."""
    rows = []
    for epoch in range(1, epochs + 1):
        cost, done = (160 - level) * 0.8**epoch, min(1.0, max(0.0, 2 * (epoch - 1) / epochs))
        row = {
            "epoch": epoch,
            "step": 116 * epoch,
            "learning_rate": 0.005,
            "train_loss": cost + level / 4,
            "dev_loss": cost + level,
            "dev_cer": level / 200,
            "dev_wer": level / 80,
        }
        if sparse:
            row |= {"sparsity_recurrent": 0.92 * done, "sparsity_linear": 0.95 * done}
            row |= {"threshold_recurrent": 0.108 * done, "threshold_linear": 0.227 * done}
        rows.append(row | {"seconds": 50.0})
    return rows


def counts(parameters: int, sparse: bool, layers: Sequence[str]) -> dict[str, Any]:
    """Equal layers, the first pruned to 94 %, each further one a point less; convolutions are left whole."""
    each = parameters // len(layers)
    told = {}
    for place, layer in enumerate(layers):
        prunable = 0 if layer.startswith(("conv", "row")) else each
        sparsity = 0.94 - 0.01 * place if sparse and prunable else 0.0
        nonzero = round(each * (1 - sparsity))
        told[layer] = {"parameters": each, "prunable": prunable, "nonzero": nonzero, "sparsity": sparsity}
    nonzero = sum(layer["nonzero"] for layer in told.values())
    total = each * len(layers)
    return {
        "prunable": sum(layer["prunable"] for layer in told.values()),
        "parameters": total,
        "nonzero": nonzero,
        "sparsity": 1 - nonzero / total,
        "sparsity_recurrent": 0.92 if sparse else 0.0,
        "layers": told,
        "q_of_weights": {"recurrent": 0.1085, "linear": 0.2274},
    }


def fabricate_into(results: Path, result_of: Callable[..., Result]) -> Fabricate:
    """Returns what writes a finished run into a folder of results.

    model, overrides: that name the run, as on the command line. edits: how many characters of each test utterance are
    wrong. heard: whether there are hypotheses. told: replaces fields of result.json.
    """

    def run(model: str, *overrides: str, edits: Sequence[int] = (5, 6, 7), heard: bool = True, **told: Any) -> Run:
        config, q_source = resolve(compose_config([f"model={model}", f"results={results}", *overrides]))
        made, sparse, length = run_of(config), model.find("sparse") > 0, len(REFERENCE) * len(edits)
        rnn = model.startswith("rnn")
        recurrent = [f"recurrent.{number}" for number in range(7 if rnn else 3)]
        layers = ["conv.0", "conv.1", *recurrent, "linear", "output"]
        rate = sum(edits) / length
        words = {"rate": min(1.0, 2.5 * rate), "insertions": 0, "deletions": 0, "substitutions": 0, "length": 6}
        made.write_config(recorded(config, q_source))
        made.write_history(history(round(config.train.epochs), sparse, 200 * rate))
        cer = {"rate": rate, "insertions": 0, "deletions": 0, "substitutions": sum(edits), "length": length}
        plain = {
            **result_of().plain(),
            **counts(20 * config.model.units**2, sparse, layers),
            "test": {"loss": 40.0, "cer": cer, "wer": words},
            "q": config.prune.magnitudes(),
            "q_source": q_source or None,
            "seed": config.seed,
            "command": f"prune-rnn train model={model} seed={config.seed}",
        }
        made.finish(read_result({**plain, **told}))
        (made.folder / "checksums.json").unlink()  # tests change what was written
        if heard:
            lines = [{"reference": REFERENCE, "hypothesis": "z" * n + REFERENCE[n:]} for n in edits]
            (made.folder / "hypotheses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return made

    return run


@pytest.fixture
def fabricate(tmp_path: Path, result_of: Callable[..., Result]) -> Fabricate:
    """Writes a finished run into tmp_path/results."""
    return fabricate_into(tmp_path / "results", result_of)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, result_of: Callable[..., Result]) -> Path:
    """A folder of results with dense and sparse runs of both families, one row of one seed."""
    results = tmp_path_factory.mktemp("sample") / "results"
    fabricate = fabricate_into(results, result_of)
    for seed in (0, 1):
        fabricate("gru_dense", f"seed={seed}", edits=[5 + seed, 6])
        fabricate("gru_sparse_big", f"seed={seed}", edits=[7, 6])
    for model in ("gru_sparse", "rnn_dense", "rnn_sparse"):
        fabricate(model, edits=[7, 6])
    return results
