"""What every data set keeps to: the contract tests run over all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn import paths
from prune_rnn.config import compose_config
from prune_rnn.data.base import SPLITS, Data
from prune_rnn.data.sets import SETS
from prune_rnn.run.identity import identity

Make = Callable[[str], list[str]]
every_set = pytest.mark.parametrize("name", SETS)


@pytest.fixture
def words(corpus: list[str], tmp_path: Path) -> Make:
    """Returns the overrides that choose a data set, of a few seconds of speech."""
    short = [f"data.{split}_hours=0.0003" for split in SPLITS]
    own = {"synthetic": ["data=synthetic", *short, f"data.cache={tmp_path / 'cache'}"], "manifest": corpus}
    return lambda name: own[name]


def test_every_option_has_its_class_and_every_class_its_option() -> None:
    assert set(paths.options("data")) == set(SETS)


@every_set
def test_an_option_bears_its_own_name(name: str, words: Make) -> None:
    data = compose_config(words(name)).data
    assert type(data) is SETS[name] and data.name == name
    with pytest.raises(ValueError, match=r"data\.name=other: is not to be set; choose the option by data=other"):
        compose_config([*words(name), "data.name=other"])


@every_set
def test_its_identity_is_stable_and_names_no_folder(name: str, words: Make) -> None:
    first, second = (identity(compose_config(words(name)))["data"] for _ in range(2))
    assert first == second and first["name"] == name
    assert not any("/" in str(value) for value in first.values())


@every_set
def test_its_manifests_are_there_and_its_dev_split_is_found_again(name: str, words: Make, tmp_path: Path) -> None:
    config = compose_config(words(name))
    manifests = config.data.manifests(lambda line: None)
    assert set(manifests) == set(SPLITS) and all(path.is_file() for path in manifests.values())
    given = None if name == "synthetic" else str(manifests["dev"])
    kept = identity(config)["data"]
    found = SETS[name].recorded_dev(kept, given, str(tmp_path / "cache"), lambda line: None)
    assert found.read_bytes() == manifests["dev"].read_bytes()
    train = SETS[name].recorded_train(kept, str(tmp_path / "cache"), lambda line: None)
    assert (train is None) == (name == "manifest")
    assert train is None or train.read_bytes() == manifests["train"].read_bytes()


@every_set
def test_another_dev_split_is_refused(name: str, words: Make) -> None:
    config = compose_config(words(name))
    kept = identity(config)["data"]
    other = __file__ if name == "manifest" else "dev.jsonl"
    with pytest.raises(ValueError, match=r"^dev=.*(is not the dev split|leave it out)"):
        SETS[name].recorded_dev(kept, other, None, lambda line: None)


@every_set
def test_it_tells_what_it_is(name: str, words: Make) -> None:
    data: Data = compose_config(words(name)).data
    assert data.describe() and data.skips_bad is False
