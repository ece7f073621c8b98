"""What every data set keeps to: the contract tests run over all of them, by the sample that each gives."""

from pathlib import Path

import pytest

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.data.base import SPLITS, Data
from prune_rnn.data.sets import SETS
from prune_rnn.data.utterances import read_manifest
from prune_rnn.run.identity import identity
from prune_rnn.usage import UsageError

every_set = pytest.mark.parametrize("name", SETS)


def quiet(line: str) -> None:
    """Says nothing."""


def sample(name: str, folder: Path) -> Data:
    """Returns a data set of a few seconds."""
    return compose_config(SETS[name].sample(folder)).data


def test_every_option_has_its_class_and_every_class_its_option() -> None:
    assert set(paths.options("data")) == set(SETS)


@every_set
def test_an_option_bears_its_own_name(name: str, tmp_path: Path) -> None:
    data = sample(name, tmp_path)
    assert type(data) is SETS[name] and data.name == name and data.describe() and data.skips_bad is False
    with pytest.raises(ValueError, match=r"data\.name=other: is not to be set; choose the option by data=other"):
        compose_config([*SETS[name].sample(tmp_path), "data.name=other"])


@every_set
def test_its_identity_is_stable_and_names_no_folder(name: str, tmp_path: Path) -> None:
    words = SETS[name].sample(tmp_path)
    first, second = (identity(compose_config(words))["data"] for _ in range(2))
    assert first == second and first["name"] == name
    assert not any("/" in str(value) for value in first.values())


@every_set
def test_its_recordings_can_be_used_and_its_splits_are_found_again(name: str, tmp_path: Path) -> None:
    """By its settings alone, or where the user says that it lies; not by both."""
    words = SETS[name].sample(tmp_path)
    manifests = compose_config(words).data.manifests(quiet)
    assert set(manifests) == set(SPLITS)
    for path in manifests.values():
        assert read_manifest(path, lambda frames: frames, False, quiet, decode=True)
    kept = identity(compose_config(words))["data"]
    train = SETS[name].recorded_train(kept, str(tmp_path), quiet)
    assert train is None or train.read_bytes() == manifests["train"].read_bytes()
    given, refused = (None, str(manifests["dev"])) if train else (str(manifests["dev"]), None)
    found = SETS[name].recorded_dev(kept, given, str(tmp_path), quiet)
    assert found.read_bytes() == manifests["dev"].read_bytes()
    with pytest.raises(ValueError, match="dev"):
        SETS[name].recorded_dev(kept, refused, str(tmp_path), quiet)


@every_set
def test_another_dev_split_is_refused(name: str, tmp_path: Path) -> None:
    kept = identity(compose_config(SETS[name].sample(tmp_path)))["data"]
    with pytest.raises(UsageError, match=r"^--dev .*(is not the dev split|leave it out)"):
        SETS[name].recorded_dev(kept, __file__, None, quiet)
