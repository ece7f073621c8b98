"""What is left open is filled in before training: from shapes, and from the runs that are there."""

from pathlib import Path

import pytest

from prune_rnn.config.config import compose_config
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.run.resolve import resolve, run_of


def test_a_sparsity_of_the_network_becomes_one_of_what_is_pruned() -> None:
    """GRU Sparse at scale=small: 343,273 parameters, of which 328,832 can be pruned."""
    config, source = resolve(compose_config(["model=gru_sparse", "prune.sparsity=0.5"]))
    assert source == "calibrated" and config.prune.sparsity is None
    assert config.prune.prunable_sparsity == pytest.approx(0.5 * 343_273 / 328_832, abs=1e-6)


def test_the_users_configuration_is_left_as_it_is() -> None:
    given = compose_config(["model=gru_sparse"])
    resolve(given)
    assert given.prune.sparsity == 0.886 and given.prune.prunable_sparsity is None


def test_a_dense_network_has_nothing_to_resolve() -> None:
    config = compose_config(["model=gru_dense"])
    assert resolve(config) == (config, "")


def test_a_run_lies_where_its_digest_says(tmp_path: Path) -> None:
    config = compose_config(["model=gru_dense", f"results={tmp_path}"])
    assert run_of(config).folder == tmp_path / "runs" / "gru_dense-05c9bf3be5"


def test_shapes_alone_tell_the_parameters() -> None:
    model = meta_model(compose_config(["model=rnn_dense", "scale=paper"]).model)
    assert sum(p.numel() for p in model.parameters()) == 67_696_733
    assert all(p.is_meta for p in model.parameters())
