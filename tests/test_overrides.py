"""What is typed reaches Hydra as it was meant, or is refused in one line that names key, value and the way out."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prune_rnn import paths
from prune_rnn.config import OPTIONS, compose_config
from prune_rnn.overrides import quoted
from prune_rnn.schema import having, keys
from prune_rnn.usage import UsageError

REFUSED = {
    "scale=null": "scale=null: choose one of digits, ljspeech, paper, small, smoke",
    "seed=null": "seed=null: needs a value; leave it out",
    "model=_gru": "model=_gru: choose one of gru_dense",
    "model={}": "model={}: choose one of",
    "~model": "~model: a run needs a model",
    "~seed": "~seed: a key can't be taken away",
    "seed=1,2": "seed=1,2: several values need `prune-rnn train -m`",
    "model=gru_dense,gru_sparse": "several values need `prune-rnn train -m`",
    "seed=9223372036854775808": "seed=9223372036854775808: must be at most 9,223,372,036,854,775,807",
    "seed=" + "9" * 5000: "999...: the value can't be read",
    "seed=" + "[" * 2000: "the value can't be read",
    "name=" + "x" * 20_000: "has 20,005 characters",
    "seed=${seed": "seed=${seed: the value can't be read; put it in quotes",
    "seed=": "seed=: must be a whole number",
    "threads=99999999999": "threads=99999999999: must be at most 1,024",
    "train.anneal=1e-300": "train.anneal=1e-300: over train.epochs=20",
    "train.load_workers=3000": "train.load_workers=3000: must be at most 256",
    "train.lr=1": "train.lr: no such key; did you mean 'train.learning_rate'?",
    "batch=1": "batch: no such key; did you mean 'train.batch_size'?",
    "device=meta": "device=meta: must be auto, cpu, cuda, or one of several as cuda:1",
    "device=mps": "device=mps: must be auto, cpu",
    "name=" + "x" * 300: "has 300 bytes; a folder's name takes 200",
    "results=''": "results='': names no folder",
    "+foo=1": "+foo: no such key; `prune-rnn train --help` lists them all",
    "schema=3": "schema: no such key",
    "=3": "'=3' is not of the form KEY=VALUE",
    "+seed=1": "+seed: the key is there already; leave out the '+'",
    "scale.width=nan": "scale.width=nan: must be above 0 and at most 100",
    "scale.width=1e300": "scale.width=1e+300: must be above 0 and at most 100",
    "scale.width=inf": "scale.width=inf: must be above 0",
    "data.snr_low=nan": "data.snr_low=nan is not a number",
    "data.workers=100000": "data.workers=100000 is above 1024",
    "hydra/launcher=submitit_slurm": "Hydra has no such option; install hydra-submitit-launcher",
    "hydra.run.dir=/tmp/x": "hydra.run.dir: moves no run; all of them lie in the folder of results: give results=...",
    "++hydra.sweep.subdir=x": "++hydra.sweep.subdir: moves no run",
    "hydra.verbose=true": "hydra.verbose: counts with `prune-rnn train -m` only; leave it out",
    "hydra.run={dir: x}": "hydra.run: moves no run",
    "name=.hidden": "name='.hidden': it names a file or folder; use letters",
    "name=..": "name='..': it names a file or folder",
    "scale.name=../../x": "scale.name='../../x': it names a file or folder",
    "scale.name=": "scale.name='': it names a file or folder",
    "scale.name=" + "x" * 300: "has 300 bytes",
    "data.snr_low=" + "9" * 1000: "data.snr_low: the number is too large; give less",
    "model.units=1e22": "model.units=1e+22: must be a whole number",
    "model.units=100000000": "model.units=100000000: must be at most 100,000",
    "model.layers=100000000": "model.layers=100000000: must be at most 100",
    "model.prunable={}": "model.prunable={}: an empty group changes nothing",
}


@pytest.mark.parametrize("word", REFUSED, ids=lambda word: word[:30])
def test_what_is_wrong_is_one_line_with_the_way_out(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        compose_config([word])
    message = str(caught.value)
    assert REFUSED[word] in message and "\n" not in message and len(message) < 400


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
    assert quoted(words) == words
    sweep = ["results=/a,/b", "name=a,b"]
    assert quoted(sweep, sweep=True) == sweep and quoted(sweep) == ["results='/a,/b'", "name=a,b"]


def test_a_configuration_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from shutil import copytree

    from prune_rnn import paths

    conf = copytree(paths.conf(), tmp_path / "conf")
    monkeypatch.setattr("prune_rnn.paths.conf", lambda: conf)
    (conf / "scale" / "small.yaml").write_bytes(b"name: sm\xe4ll\n")
    with pytest.raises(ValueError, match=r"small\.yaml is not YAML in UTF-8"):
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
