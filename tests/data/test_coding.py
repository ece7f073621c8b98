"""How a recording and its transcript become numbers is read from what a run keeps."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from prune_rnn.config.config import compose_config
from prune_rnn.data.coding import Coding
from prune_rnn.deploy.network import load
from prune_rnn.run.identity import identity, plain
from prune_rnn.speech.front_end import FrontEnd

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_runs_of_before_there_were_such_keys_keep_their_coding() -> None:
    coding = Coding.of({"name": "synthetic"})
    assert coding == Coding(FrontEnd.absolute, "_' abcdefghijklmnopqrstuvwxyz", None)
    assert coding.normalise("It's  ME") == "it's me"


def test_a_wrong_front_end_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Coding.of({"front_end": "mel"})


def test_what_a_run_keeps_gives_its_coding_again(corpus: list[str]) -> None:
    config = compose_config([*corpus, "data.alphabet=abcä", "data.normalise=de"])
    coding = Coding.of(identity(config)["data"])
    assert coding == Coding.of(plain(config.data)) == Coding(FrontEnd.active, "_ abcä", "de")
    assert config.model.symbols == 6


def test_the_default_text_names_no_run_and_another_does(corpus: list[str]) -> None:
    default = identity(compose_config(corpus))["data"]
    assert "alphabet" not in default and "normalise" not in default and default["front_end"] == "active"
    before = identity(compose_config([*corpus, "data.front_end=absolute"]))
    assert before["data"].keys() == {"name", "train", "dev", "test", "skip_bad"} and "symbols" not in before["model"]


def test_features_are_those_of_its_front_end() -> None:
    waveform = 0.1 * torch.randn(16_000, generator=torch.Generator().manual_seed(0))
    waveform[:8000] *= 1e-3
    one, two, three = (Coding(front_end).features(waveform) for front_end in FrontEnd)
    assert one.shape == two.shape == three.shape == (161, 99)
    assert not torch.allclose(one, two) and not torch.allclose(two, three)


def test_another_alphabet_trains_packs_and_is_read_again(tiny: list[str], command: Command, tmp_path: Path) -> None:
    """Five symbols and the blank; the run, its packed file and what reads them agree."""
    command("train", *tiny, "data.alphabet=äcba", check=True)
    (run,) = (tmp_path / "results" / "runs").iterdir()
    dev = next(word.partition("=")[2] for word in tiny if word.startswith("data.dev="))
    command("export", str(run), "--dev", dev, check=True)
    network = load(run / "model-float32.safetensors")
    assert network.coding == Coding(FrontEnd.active, "_ abcä") and network.output.rows == 6
    for model in (run, run / "model-float32.safetensors"):
        done = command("evaluate", str(model), dev, "--out", f"{tmp_path / model.name}.jsonl", check=True)
        assert "CER" in done.stdout
    taught = command("train", *tiny, f"teacher={run}")
    assert taught.returncode == 2 and "has another alphabet; give 'data.alphabet=abcä', as" in taught.stderr
    begun = command("train", *tiny, "data.alphabet=abcö", "data.front_end=relative", f"init={run}", check=True)
    assert f"init={run}: has no ö; the output weights of these characters start untrained" in begun.stderr
    heard = command("train", *tiny, "data.alphabet=abcä", "data.front_end=absolute", f"init={run}")
    assert heard.returncode == 2 and "has another front end; give data.front_end=active" in heard.stderr
