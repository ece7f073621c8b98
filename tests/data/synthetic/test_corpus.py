"""The corpus is the same to the byte however it is made, true to its manifests, and whole or not there."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import soundfile
from omegaconf import OmegaConf

from prune_rnn.data.base import SPLITS
from prune_rnn.data.synthetic import corpus as making
from prune_rnn.data.synthetic import espeak, speech
from prune_rnn.data.synthetic import settings as about
from prune_rnn.data.synthetic.sentences import sentences
from prune_rnn.data.synthetic.settings import Synthetic, digest
from prune_rnn.data.synthetic.speech import mix, tilted_noise, variants
from prune_rnn.integrity import corpus as integrity

SECOND = 1 / 3600  # hours


def config(cache: Path, **changes: Any) -> Synthetic:
    hours = {"train_hours": 0.04, "dev_hours": 10 * SECOND, "test_hours": 5 * SECOND}
    return Synthetic(**{**hours, "cache": str(cache), **changes})


def tiny(cache: Path, **changes: Any) -> Synthetic:
    return config(cache, **{"train_hours": SECOND, "dev_hours": SECOND, "test_hours": SECOND, **changes})


def quiet(line: str) -> None:
    assert line.startswith("synthetic")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """0.04 hours of train are 144 seconds, more than the first chunk's 32 utterances."""
    return config(tmp_path_factory.mktemp("two"), workers=2).manifests(quiet)


@pytest.fixture(scope="module")
def lines(corpus: dict[str, Path]) -> dict[str, list[dict[str, Any]]]:
    return {split: [json.loads(line) for line in corpus[split].read_text().splitlines()] for split in SPLITS}


def test_one_worker_makes_the_bytes_of_two(corpus: dict[str, Path], tmp_path: Path) -> None:
    alone = config(tmp_path, workers=1).manifests(quiet)
    made = content(corpus["train"].parent)
    assert content(alone["train"].parent) == made
    assert sum(name.startswith("train/") for name in made) > speech.chunk_size(0)


def test_chunks_grow_from_32_to_512() -> None:
    sizes = [speech.chunk_size(index) for index in range(12)]
    assert sizes == [32, 32, 64, 64, 128, 128, 256, 256, 512, 512, 512, 512]


def test_every_file_is_in_a_manifest_and_nothing_else_is_left(
    corpus: dict[str, Path], lines: dict[str, list[dict[str, Any]]]
) -> None:
    named = {line["audio_filepath"] for split in SPLITS for line in lines[split]}
    assert set(content(corpus["train"].parent)) == named | {
        "train.jsonl", "dev.jsonl", "test.jsonl", "synthetic.sha256",
    }  # fmt: skip
    assert [path for path in corpus["train"].parents[1].iterdir() if path.suffix != ".lock"] == [corpus["dev"].parent]


def test_manifests_tell_the_truth_about_the_audio(
    corpus: dict[str, Path], lines: dict[str, list[dict[str, Any]]]
) -> None:
    for split in SPLITS:
        for line in lines[split]:
            assert set(line) == {"audio_filepath", "duration", "text", "speaker"}
            file = soundfile.info(corpus[split].parent / line["audio_filepath"])
            assert (file.samplerate, file.channels, file.subtype, file.format) == (16_000, 1, "PCM_16", "FLAC")
            assert file.frames == round(line["duration"] * 16_000)
            assert 1.5 < line["duration"] < 9
            samples, _ = soundfile.read(corpus[split].parent / line["audio_filepath"])
            assert 0.19 < np.abs(samples).max() < 0.96 and np.abs(samples[:400]).max() > 0


def test_splits_last_as_long_as_asked_within_one_utterance(lines: dict[str, list[dict[str, Any]]]) -> None:
    for split, wanted in (("train", 144.0), ("dev", 10.0), ("test", 5.0)):
        durations = [line["duration"] for line in lines[split]]
        assert sum(durations[:-1]) < wanted <= sum(durations)


def test_splits_share_accents_but_neither_variants_nor_sentences(lines: dict[str, list[dict[str, Any]]]) -> None:
    for key in ("text", "variant"):
        found = [
            {line["text"] if key == "text" else line["speaker"].split("+")[1] for line in lines[s]} for s in SPLITS
        ]
        assert sum(map(len, found)) == len(set().union(*found))
    assert len({line["speaker"].split("+")[0] for line in lines["train"]}) > 5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_variants_are_shared_out_36_4_4(seed: int) -> None:
    parts = variants(seed)
    assert [len(parts[split]) for split in SPLITS] == [36, 4, 4]
    assert set().union(*parts.values()) == set(espeak.VARIANTS)
    assert variants(seed) == parts != variants(seed + 1)


def test_a_longer_split_begins_with_the_shorter(corpus: dict[str, Path], tmp_path: Path) -> None:
    short = config(tmp_path, train_hours=10 * SECOND).manifests(quiet)
    whole = corpus["train"].read_text()
    assert whole.startswith(short["train"].read_text()) and len(whole) > len(short["train"].read_text())
    assert (short["train"].parent / "train/000001.flac").read_bytes() == (
        corpus["train"].parent / "train/000001.flac"
    ).read_bytes()


def test_each_split_speaks_sentences_of_its_own_frames(lines: dict[str, list[dict[str, Any]]]) -> None:
    for split in SPLITS:
        texts = [line["text"] for line in lines[split]]
        assert texts == list(islice(sentences(0, split), len(texts)))


def test_the_disk_that_is_asked_for_is_what_it_takes(corpus: dict[str, Path], tmp_path: Path) -> None:
    """Blocks of 4096 bytes are what most file systems give out."""
    seconds = 144 + 10 + 5
    taken = sum(-(-len(bytes_) // 4096) * 4096 for bytes_ in content(corpus["train"].parent).values())
    assert 0.8 < taken / (seconds * making._BYTES) < 1.2


def test_the_disk_it_takes_is_reported_first_and_size_and_time_last(tmp_path: Path) -> None:
    said: list[str] = []
    made = tiny(tmp_path, train_hours=0.01).manifests(said.append)
    size = sum(map(len, content(made["train"].parent).values()))
    assert re.fullmatch(r"synthetic: making 0\.0105556 hours of speech in \S+, about 1 MB", said[0])
    assert re.fullmatch(rf"synthetic: made .* hours of speech, {size / 1e6:.0f} MB, in \d+ seconds", said[-1])


def job(folder: Path, lacks: float | None, parent: int) -> dict[str, Any]:
    (folder / "dev").mkdir()
    if lacks is not None:
        (folder / "lacks").write_text(repr(lacks))
    places = {"folder": str(folder), "lines": str(folder / "lines"), "lacks": str(folder / "lacks")}
    return {
        "ranges": asdict(tiny(folder).ranges()),
        "split": "dev",
        "first": 7,
        "texts": ["where have you been"] * 9,
        "parent": parent,
    } | places


def test_a_chunk_ends_with_the_utterance_that_fills_what_the_split_lacks(tmp_path: Path) -> None:
    speech.speak_chunk(job(tmp_path, 4.0, os.getppid()))
    durations = [json.loads(line)["duration"] for line in (tmp_path / "lines").read_text().splitlines()]
    assert 1 < len(durations) < 9 and sum(durations[:-1]) < 4.0 <= sum(durations)


def test_a_chunk_that_is_needed_no_more_speaks_nothing(tmp_path: Path) -> None:
    speech.speak_chunk(job(tmp_path, None, os.getppid()))
    assert (tmp_path / "lines").read_text() == "" and list((tmp_path / "dev").iterdir()) == []


def test_a_chunk_whose_parent_died_ends_without_lines(tmp_path: Path) -> None:
    speech.speak_chunk(job(tmp_path, 4.0, os.getppid() + 1))
    assert not (tmp_path / "lines").exists() and list((tmp_path / "dev").iterdir()) == []


@pytest.mark.parametrize("snr", [-5.0, 0.0, 20.0])
def test_mix_has_exactly_the_snr(snr: float) -> None:
    clean = np.array([3.0, -4.0, 3.0, -4.0])  # mean power 12.5
    noise = np.array([1.0, 1.0, -1.0, 2.0])
    added = mix(clean, noise, snr) - clean
    assert 10 * np.log10(12.5 / np.mean(added**2)) == pytest.approx(snr, abs=1e-9)
    assert np.allclose(added / added[0], noise)


def test_mix_at_20_db_has_a_hundredth_of_the_power() -> None:
    assert np.allclose(mix(np.array([10.0, -10.0]), np.array([5.0, 5.0]), 20.0), [11.0, -9.0])


@pytest.mark.parametrize(("tilt", "ratio"), [(0.0, 1.0), (1.0, 4.0), (2.0, 16.0)])
def test_noise_loses_power_with_frequency_as_tilted(tilt: float, ratio: float) -> None:
    """At 4000 Hz it has 4 ** -tilt of the power at 1000 Hz."""
    noise = tilted_noise(160_000, tilt, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(noise)) ** 2  # 0.1 Hz a bin
    assert power[9_500:10_500].mean() / power[38_000:42_000].mean() == pytest.approx(ratio, rel=0.15)


def test_noise_of_an_utterance_is_as_loud_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def spy(clean: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
        mixed = mix(clean, noise, snr_db)
        seen.append(10 * np.log10(np.mean(clean**2) / np.mean((mixed - clean) ** 2)))
        return mixed

    monkeypatch.setattr(speech, "mix", spy)
    for index in range(20):
        speech.utterance(tiny(tmp_path, snr_low=3.0, snr_high=9.0).ranges(), "train", index, "where have you been")
    assert 3 <= min(seen) < 5 and 7 < max(seen) <= 9


def test_a_whole_corpus_is_used_again_without_a_word(corpus: dict[str, Path]) -> None:
    cache = corpus["train"].parents[1]
    assert config(cache, workers=1).manifests(lambda line: pytest.fail(line)) == corpus


def test_what_a_dead_process_left_is_removed_and_not_used(tmp_path: Path) -> None:
    settings = tiny(tmp_path)
    left = tmp_path / f"synthetic-{digest(settings)}.making-1"
    (left / "train").mkdir(parents=True)
    (left / "train.jsonl").write_text("rubbish\n")
    said: list[str] = []
    made = settings.manifests(said.append)
    assert not left.exists() and any(f"removing {left}" in line for line in said)
    assert "rubbish" not in made["train"].read_text()


def test_a_corpus_that_is_cut_off_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(line: str) -> None:
        if "dev" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny(tmp_path).manifests(stop)
    assert [path.suffix for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


def test_the_second_process_waits_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tiny(tmp_path)
    folder = tmp_path / f"synthetic-{digest(settings)}"
    lock = filelock.FileLock(tmp_path / f"{folder.name}.lock")
    monkeypatch.setattr(making, "_make", lambda *_: pytest.fail("it was made twice"))
    waiting = threading.Event()

    def said(line: str) -> None:
        assert "waiting for the process that is making" in line
        waiting.set()

    result: list[dict[str, Path]] = []
    with lock:
        second = threading.Thread(target=lambda: result.append(settings.manifests(said)))
        second.start()
        assert waiting.wait(10)
        folder.mkdir()
        for split in SPLITS:
            (folder / f"{split}.jsonl").touch()
        integrity.write(folder)
    second.join(10)
    assert result == [{split: folder / f"{split}.jsonl" for split in SPLITS}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_hours": 0.0}, r"data\.train_hours=0\.0: must be above 0 and finite; give hours"),
        ({"dev_hours": -1.0}, r"data\.dev_hours=-1\.0"),
        ({"test_hours": float("nan")}, r"data\.test_hours=nan"),
        ({"train_hours": float("inf")}, r"data\.train_hours=inf"),
        ({"snr_low": 30.0}, r"data\.snr_low=30\.0: lies above data\.snr_high=25\.0"),
        ({"snr_high": float("inf")}, r"data\.snr_high=inf: must be a finite number of dB"),
        ({"rate_low": 50}, r"data\.rate_low=50: must be 80 or more"),
        ({"pitch_high": 200}, r"data\.pitch_high=200: must be at most 100"),
        ({"seed": -1}, r"data\.seed=-1: must be 0 or more"),
        ({"workers": 0}, r"data\.workers=0: must be 1 or more"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(tmp_path, **changes).manifests(quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"data\.cache=.*file.* cannot be written .*name a folder that can"):
        tiny(tmp_path / "file" / "cache").manifests(quiet)


def test_a_disk_too_small_is_reported_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"MB free and 1e\+09 hours of speech take about 86400000000 MB; free some"):
        tiny(tmp_path, train_hours=1e9).manifests(quiet)


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("import os; os.kill(os.getpid(), 11)", RuntimeError, "utterances 0 to 31 of train was ended by SIGSEGV"),
        ("raise OSError(28, 'No space left on device')", OSError, "No space left on device; free some space"),
        ("raise ValueError('odd')", RuntimeError, "failed: ValueError: odd"),
    ],
)
def test_a_process_that_dies_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception], message: str
) -> None:
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **options: run([command[0], "-c", code], **options))
    with pytest.raises(error, match=message):
        tiny(tmp_path).manifests(quiet)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_manifest_that_is_gone_is_named(corpus: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(corpus["train"].parent, tmp_path / corpus["train"].parent.name)
    (tmp_path / corpus["train"].parent.name / "dev.jsonl").unlink()
    with pytest.raises(OSError, match=r"dev\.jsonl is gone .* delete .* to have it made again"):
        config(tmp_path).manifests(quiet)


def test_the_digest_stands_for_what_changes_the_bytes(tmp_path: Path) -> None:
    base = config(tmp_path)
    assert digest(replace(base, workers=7, cache=None)) == digest(base)
    assert digest(replace(base, train_hours=1)) == digest(replace(base, train_hours=1.0))
    for change in ({"seed": 1}, {"dev_hours": 1.0}, {"snr_low": 6.0}, {"rate_high": 150}, {"pitch_low": 31}):
        assert digest(replace(base, **change)) != digest(base)


def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert about.cache_folder(replace(config(tmp_path), cache=None)) == tmp_path / "prune-rnn"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert about.cache_folder(replace(config(tmp_path), cache=None)) == Path("/home/someone/.cache/prune-rnn")


def test_the_config_is_a_schema_for_omegaconf(tmp_path: Path) -> None:
    schema = OmegaConf.structured(Synthetic)
    filled = OmegaConf.merge(schema, {"train_hours": 1, "dev_hours": 0.1, "test_hours": 0.1, "cache": str(tmp_path)})
    made = OmegaConf.to_object(filled)
    assert isinstance(made, Synthetic) and made.train_hours == 1.0 and made.workers is None


def test_a_process_that_speaks_imports_neither_torch_nor_hydra_nor_faker() -> None:
    heavy = ("torch", "hydra", "omegaconf", "faker", "num2words")
    code = f"import sys, prune_rnn.data.synthetic.speech; print([m for m in {heavy} if m in sys.modules])"
    places = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    environment = {**os.environ, "PYTHONPATH": places}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
