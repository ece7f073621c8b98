"""Composition, the rules that span groups, and the digests that name runs."""

import shutil
from pathlib import Path

import pytest
import soundfile
import yaml

from prune_rnn import paths
from prune_rnn.config.config import Config, compose_config
from prune_rnn.data.fingerprint import _fingerprint as fingerprint
from prune_rnn.prune.gradual import Gradual
from prune_rnn.prune.none import Dense
from prune_rnn.run.identity import digest, identity
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import resolve

# model: (cell, units at scale=paper, units at scale=small), from the paper's Table 3 and a twentieth of them
UNITS = {
    "rnn_dense": ("rnn", 1760, 88),
    "rnn_dense_small": ("rnn", 704, 35),
    "rnn_dense_medium": ("rnn", 2560, 128),
    "rnn_sparse": ("rnn", 1760, 88),
    "rnn_sparse_medium": ("rnn", 2560, 128),
    "rnn_sparse_big": ("rnn", 3072, 154),
    "gru_dense": ("gru", 2560, 128),
    "gru_dense_small": ("gru", 1024, 51),
    "gru_sparse": ("gru", 2560, 128),
    "gru_sparse_medium": ("gru", 3568, 178),
    "gru_sparse_big": ("gru", 4480, 224),
    "lstm_dense": ("lstm", 2200, 110),
    "lstm_dense_small": ("lstm", 880, 44),
    "lstm_sparse": ("lstm", 2200, 110),
}


def test_every_model_is_listed() -> None:
    assert set(paths.options("model")) == set(UNITS)


@pytest.mark.parametrize("model", UNITS)
def test_every_model_composes_with_its_units_and_its_pruning(model: str) -> None:
    cell, paper, small = UNITS[model]
    at_paper, at_small = compose_config([f"model={model}", "scale=paper"]), compose_config([f"model={model}"])
    assert (at_paper.model.units, at_small.model.units) == (paper, small)
    assert at_small.model.cell.name == cell and at_small.model.name == at_small.name == model
    assert isinstance(at_small.prune, Gradual if "sparse" in model else Dense)


@pytest.mark.parametrize("scale", paths.options("scale"))
def test_every_scale_composes(scale: str) -> None:
    config = compose_config([f"scale={scale}", "model=gru_sparse"])
    assert config.scale.name == scale and config.train.epochs == config.scale.epochs


def test_what_is_typed_beats_what_the_model_chooses() -> None:
    assert isinstance(compose_config(["model=gru_sparse", "prune=none"]).prune, Dense)
    assert isinstance(compose_config(["model=gru_dense", "prune=gradual", "prune.sparsity=0.5"]).prune, Gradual)
    assert compose_config(["model.units=7"]).model.units == 7


def test_pruning_follows_the_heuristics_of_table_1() -> None:
    prune = compose_config(["model=gru_sparse", "train.epochs=40"]).prune
    assert (prune.start_epoch, prune.ramp_epoch, prune.end_epoch) == (1, 10, 20)
    short = compose_config(["model=gru_sparse", "train.epochs=2"]).prune  # epoch 2 would start after 25 % of all
    assert (short.start_epoch, short.ramp_epoch, short.end_epoch) == (0.5, 0.5, 1)


def test_released_digests_stay_as_they_are() -> None:
    """A run is found by its digest: a default that changes, or a field that is added, must not go unseen."""
    pinned = {
        "model=gru_dense": "05c9bf3be5",
        "model=gru_sparse_big prune.q=0.1": "009413c1f9",
        "model=rnn_dense scale=paper seed=2": "519a467a95",
        "model=gru_sparse prune.sparsity=0.9 scale=smoke": "fb8c6df91b",
        "model=gru_sparse prune=nm": "775bcd42b6",
        "model=gru_sparse prune=hard prune.parameters=40000": "8969f1a03e",
        "model=rnn_sparse prune=cubic": "97568d7fc8",
        "model=gru_sparse prune=blocks prune.prunable_sparsity=0.9": "6a37522422",
    }
    assert {words: digest(resolve(compose_config(words.split()))[0]) for words in pinned} == pinned


@pytest.mark.parametrize("override", ["seed=1", "train.learning_rate=0.004", "model.activation=tanh", "data.seed=1"])
def test_what_changes_the_result_changes_the_digest(override: str) -> None:
    assert digest(compose_config([override])) != digest(compose_config([]))


@pytest.mark.parametrize(
    "override", ["threads=1", "device=cpu", "results=elsewhere", "data.workers=1", "data.cache=x", "name=other"]
)
def test_what_does_not_change_the_result_leaves_the_digest(override: str) -> None:
    assert digest(compose_config([override])) == digest(compose_config([]))


def test_a_manifest_counts_by_its_content(corpus: list[str], tmp_path: Path) -> None:
    folder = shutil.copytree(Path(corpus[1].split("=")[1]).parent, tmp_path / "moved")
    there = [corpus[0], *(f"data.{split}={folder / split}.jsonl" for split in ("train", "dev", "test"))]
    assert digest(compose_config(there)) == digest(compose_config(corpus))
    samples, rate = soundfile.read(folder / "train3.wav")
    soundfile.write(folder / "train3.wav", samples / 2, rate)  # as long as before
    fingerprint.cache_clear()
    changed = digest(compose_config(there))
    assert changed != digest(compose_config(corpus))
    (folder / "train.jsonl").write_text((folder / "train.jsonl").read_text() + "\n")
    assert digest(compose_config(there)) not in (changed, digest(compose_config(corpus)))


def test_what_a_run_keeps_names_no_folder(corpus: list[str]) -> None:
    kept = recorded(compose_config([*corpus, "model=gru_sparse"]), "estimate")
    assert "/" not in yaml.safe_dump(kept.values)
    plain = kept.identity
    assert plain["prune"]["layers"] == plain["model"]["prunable"]
    assert (kept.scale.name, kept.q_source, kept.model.name) == ("small", "estimate", "gru_sparse")


def test_the_identity_is_plain_and_complete() -> None:
    config = compose_config(["model=gru_sparse"])
    assert set(identity(config)) == {"seed", "model", "prune", "data", "train"}
    assert identity(config)["model"]["cell"] == "gru"


WRONG = {
    "model=gru_spars": "model=gru_spars: did you mean 'gru_sparse'?",
    "modle=gru_dense": "modle=gru_dense: no such key; did you mean 'model'?",
    "scale=huge": "scale=huge: choose one of digits, ljspeech, paper, small, smoke",
    "model.units=-3": "model.units=-3: must be 1 or more",
    "model.units=many": "model.units",
    "model.activation=tan": "clipped_relu, tanh",
    "prune.q=0 model=gru_sparse": "prune.q=0: q of recurrent must be a magnitude above 0",
    "prune.q=much model=gru_sparse": "prune.q=much: give a number",
    "prune.q=true model=gru_sparse": "prune.q=True",
    "prune.q={recurrent:0.1} model=gru_sparse": "recurrent, linear",
    "prune.q=0.1": "choose prune=gradual (with a sparse model, such as model=gru_sparse)",
    "prune.sparsity=1.5 model=gru_sparse": "prune.sparsity=1.5: must lie between 0 and 1",
    "prune=gradual": "prune.sparsity has no value; give the network's sparsity",
    "train.steps_per_epoch=0": "train.steps_per_epoch=0: must be 1 or more",
    "train.clip_percentile=101": "train.clip_percentile=101.0: must be above 0 and at most 100",
    "train.hold_epochs=-1": "train.hold_epochs=-1.0: must be 0 or more",
    "prune.sparisty=0.9 model=gru_sparse": "did you mean 'prune.sparsity'?",
    "prune.start_epoch=11 model=gru_sparse": "prune.start_epoch=11.0, prune.ramp_epoch=5.0, prune.end_epoch=10.0",
    "prune.end_epoch=21 model=gru_sparse": "prune.end_epoch=21.0 lies after the end, train.epochs=20",
    "+prune.typo=1 model=gru_sparse": "typo",
    "data=manifest": "has no value; give one by data.",
    "data.train_hours=0": "data.train_hours=0",
    "train.epochs=0": "train.epochs=0: must be 1 or more",
    "train.learning_rate=-1": "train.learning_rate=-1",
    "train.momentum=1": "train.momentum=1",
    "seed=-1": "seed=-1",
    "threads=0": "threads=0",
    "name=a/b": "name='a/b'",
    "gru_sparse": "'gru_sparse' is not of the form KEY=VALUE",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_override_is_one_error_that_names_it(words: str) -> None:
    with pytest.raises(ValueError) as caught:
        compose_config(words.split())
    assert WRONG[words] in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_manifest_is_named(corpus: list[str]) -> None:
    with pytest.raises(ValueError, match=r"data\.dev=nowhere\.jsonl: no such file"):
        compose_config([*corpus, "data.dev=nowhere.jsonl"])
    assert isinstance(compose_config(corpus), Config)
