"""What is typed reaches Hydra as it was meant, or is refused in one line that names key, value and the way out."""

import re
from pathlib import Path

import hydra
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prune_rnn import paths
from prune_rnn.config.compose import compose, read
from prune_rnn.config.config import OPTIONS, compose_config
from prune_rnn.config.option import having, keys
from prune_rnn.usage import UsageError

REFUSED = {
    "scale=null": "scale=null: choose one of digits, ljspeech, paper, small, smoke",
    "model=_gru": "model=_gru: choose one of gru_dense",
    "model={}": "model={}: choose one of",
    "model=gru_spars": "model=gru_spars: did you mean 'gru_sparse'?",
    "model=GRU_sparse": "model=GRU_sparse: did you mean 'gru_sparse'?",
    "~model": "~model: a key can't be taken away; leave it out",
    "~seed": "~seed: a key can't be taken away",
    "seed=1,2": "seed=1,2: several values need `prune-rnn train -m`",
    "model=gru_dense,gru_sparse": "several values need `prune-rnn train -m`",
    "gru_sparse": "'gru_sparse' is not of the form KEY=VALUE; write model=gru_sparse",
    "prune": "'prune' is not of the form KEY=VALUE",
    "=3": "'=3' is not of the form KEY=VALUE",
    "seed=null": "seed=null: field 'seed' is not Optional",
    "seed=": "seed=: '' is no whole number",
    "train.clip=x": "train.clip=x: 'x' is no number",
    "train.speeds=0.9": "train.speeds=0.9: must be a list: put it in [ ]",
    "scale.width=-1": "scale.width=-1.0: must be above 0 and at most 100",
    "model.units=1e22": "model.units=1e22: '1e+22' is no whole number",
    "data.skip_bad=maybe data=manifest": "data.skip_bad=maybe: 'maybe' is neither true nor false",
    "data.snr_low=" + "9" * 1000: "999...: int too large",
    "seed=" + "9" * 5000: "999...: Exceeds the limit (4300 digits)",
    "seed=" + "[" * 2000: "[[[...: no viable alternative",
    "seed=${seed": "seed=${seed: mismatched input '{'",
    "name=" + "x" * 20_000: "has 20000 bytes; a folder's name takes 200",
    "name=" + "x" * 300: "has 300 bytes; a folder's name takes 200",
    "+seed=1": "+seed=1: Could not append to config. An item is already at 'seed'. Either remove + prefix",
    "+foo=1": "'foo'; leave out the key that '+' added",
    "model.prunable={}": "model.prunable={}: an empty group changes nothing",
    "model.prunable.x=[a]": "needs a plus: +model.prunable.x=...",
    "threads=99999999999": "threads=99999999999: must be at most 1,024",
    "seed=9223372036854775808": "seed=9223372036854775808: must be at most 9,223,372,036,854,775,807",
    "train.anneal=1e-300": "train.anneal=1e-300: over train.epochs=20",
    "train.load_workers=3000": "train.load_workers=3000: must be at most 256",
    "device=meta": "device=meta: must be auto, cpu, cuda, or one of several as cuda:1",
    "results=''": "results='': names no folder",
    "scale.width=nan": "scale.width=nan: must be above 0 and at most 100",
    "scale.width=1e300": "scale.width=1e+300: must be above 0 and at most 100",
    "scale.width=inf": "scale.width=inf: must be above 0",
    "data.snr_low=nan": "data.snr_low=nan: must be a finite number of dB",
    "data.workers=100000": "data.workers=100000: must be at most 1,024",
    "model.units=100000000": "model.units=100000000: must be at most 100,000",
    "model.layers=100000000": "model.layers=100000000: must be at most 100",
    "name=.hidden": "name='.hidden': it names a file or folder; use letters",
    "name=..": "name='..': it names a file or folder",
    "scale.name=../../x": "scale.name='../../x': it names a file or folder",
    "scale.name=": "scale.name='': it names a file or folder",
    "hydra/launcher=basic": "hydra/launcher=basic: works with `prune-rnn train -m` only",
    "hydra.verbose=true": "hydra.verbose=true: works with `prune-rnn train -m` only; leave it out",
    "hydra.run={dir: x}": "hydra.run={dir: x}: works with `prune-rnn train -m` only",
}
ALL = "`prune-rnn train --help` lists all keys"
UNKNOWN = {  # one or two wrong letters get a hint, and what is in another group; a wrong hint is worse than none
    "modle=gru_dense": "modle=gru_dense: no such key; did you mean 'model'?",
    "train.epoch=3": "did you mean 'train.epochs'?",
    "train.lerning_rat=3": "did you mean 'train.learning_rate'?",
    "units=4": "did you mean 'model.units'?",
    "train.units=4": "did you mean 'model.units'?",
    "prune.q=0.1": "choose prune=gradual (with a sparse model, such as model=gru_sparse)",
    "train.optimizer=adam": f"train.optimizer=adam: no such key; {ALL}",
    "train.devices=2": ALL,
    "train.lr=1": ALL,
    "sparsity=0.9": ALL,  # of the model, or of pruning
    "train={epoch: 3}": ALL,
    "schema=3": ALL,
}


@pytest.mark.parametrize("words", REFUSED | UNKNOWN, ids=lambda words: words[:30])
def test_what_is_wrong_is_one_line_with_the_way_out(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        compose_config([words] if "{" in words else words.split())
    message = str(caught.value)
    assert (REFUSED | UNKNOWN)[words] in message and "\n" not in message and len(message) < 400


@pytest.mark.parametrize(
    "path", ["/tmp/ä(1),b", "/tmp/a,b", "/t p/{x}", "[a]", "it's", "a\\", "1e5", "=", "007", "true"]
)
def test_a_path_is_taken_as_it_was_typed(path: str) -> None:
    assert compose_config([f"results={path}"]).results == path


def test_the_users_folder_stands_for_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ä")
    config = compose_config(["results=~/r", "data.cache=~/c"])
    assert config.results == "/home/ä/r" and getattr(config.data, "cache", None) == "/home/ä/c"


def test_a_name_may_look_like_a_number() -> None:
    assert [compose_config([f"name={name}"]).name for name in ("1e5", "007", "läuf")] == ["1e5", "007", "läuf"]


def test_what_hydra_reads_stays_as_it_is() -> None:
    words = ["seed=1", "results='/tmp/a b'", "data.cache=null", "model.prunable.linear=[a]", "name=${model.name}"]
    assert [read(word).input_line for word in words] == words
    sweep = ["results=/a,/b", "name=a,b"]
    assert [read(word, sweep=True).input_line for word in sweep] == sweep
    assert [read(word).input_line for word in sweep] == ["results='/a,/b'", "name=a,b"]


WORDS = [
    "",
    "model=gru_sparse scale=smoke model.units=7 model.prunable.linear=[a] ++train.epochs=3 train.epochs=2",
    "scale.width=0.1 train={epochs: 5, clip: null} prune=gradual prune.sparsity=0.5",
    "data=manifest data.train=x model=rnn_sparse scale=paper +model.prunable.conv=[b] results=a name=${model.name}",
]


@pytest.mark.parametrize("words", WORDS)
def test_it_is_what_hydra_composes(words: str) -> None:
    overrides = re.split(r" (?![^{]*})", words) if words else []
    found = compose(overrides)
    with hydra.initialize_config_dir(str(paths.conf()), version_base="1.3"):
        assert found == hydra.compose("config", overrides)


def test_a_composed_configuration_is_the_callers_own() -> None:
    compose_config(["model=gru_sparse"]).model.prunable.clear()
    compose(["model=gru_sparse"]).model.units = 3
    config = compose_config(["model=gru_sparse"])
    assert config.model.prunable and config.model.units == 128


def test_a_configuration_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from shutil import copytree

    from prune_rnn import paths

    conf = copytree(paths.conf(), tmp_path / "conf")
    monkeypatch.setattr("prune_rnn.paths.conf", lambda: conf)
    (conf / "scale" / "small.yaml").write_bytes(b"name: sm\xe4ll\n")
    with pytest.raises(ValueError, match=r"small\.yaml can't be read as YAML"):
        compose_config([])


# --- every key, with whatever a user may type ------------------------------------------------------------------------

_WILD = st.one_of(
    st.sampled_from(["null", "nan", "inf", "-inf", "1e999", "-1", "0", "1", "2", "1e5", "1e-300", "1e300", "true"]),
    st.sampled_from(["[]", "{}", "[1]", "{a:1}", ",1", "1,2", "'", '"', "${x}", "${seed}", "~", "\\"]),
    st.integers().map(str),
    st.floats().map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    st.text("[]{}(),:'\"$~\\=+ 1a", max_size=20),
    st.integers(1, 6000).map(lambda length: "9" * length),
    st.integers(1, 3000).map(lambda depth: "[" * depth),
)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.sampled_from([*keys(), *paths.groups()]), _WILD, st.sampled_from(["", "", "", "+", "++", "~"]))
def test_any_value_of_any_key_is_composed_or_refused(corpus: list[str], key: str, value: str, sign: str) -> None:
    group = key.partition(".")[0]
    base = ["model=gru_sparse"]
    if group in OPTIONS and "." in key:
        option = having(key)[0]
        base += corpus if option == "manifest" else [f"{group}={option}"]
    try:
        compose_config([*base, f"{sign}{key}={value}"])
    except (ValueError, OSError) as error:
        assert str(error)
