"""The three splits of `data=manifest`: paths, or fingerprints in their place; what they may not share."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from prune_rnn.data.fingerprint import fingerprint
from prune_rnn.data.manifest import Manifest


def manifest(folder: Path, recordings: list[str], name: str) -> Path:
    """Writes a manifest of recordings below `folder`, each with the text "ab"."""
    path = folder / name
    path.write_text("".join(json.dumps({"audio_filepath": one, "text": "ab"}) + "\n" for one in recordings))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", np.zeros(1630), 16000)
    os.mkfifo(tmp_path / "audio" / "pipe.wav")
    return tmp_path


def silent(line: str) -> None:
    raise AssertionError(f"nothing to report, but: {line}")


def splits(folder: Path, **changes: Any) -> Manifest:
    paths = {}
    for number, split in enumerate(("train", "dev", "test")):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 1630)
        soundfile.write(folder / "audio" / f"{split}.wav", noise, 16000)
        paths[split] = str(manifest(folder, [f"audio/{split}.wav"], f"{split}.jsonl"))
    return Manifest(**{**paths, **changes})


def test_three_manifests_pass(folder: Path) -> None:
    splits(folder).check()
    splits(folder).manifests(silent)


@pytest.mark.parametrize("more", [[], ["audio/train.wav"]], ids=["the same", "and more"])
def test_recordings_of_one_split_that_are_all_in_another_are_refused(folder: Path, more: list[str]) -> None:
    given = splits(folder)
    (folder / "copy.wav").write_bytes((folder / "audio" / "dev.wav").read_bytes())
    path = manifest(folder, ["copy.wav", *more], "again.jsonl")
    given.train = str(path)
    with pytest.raises(ValueError, match=r"data\.train and data\.dev: all 1 recordings of the one are in the other"):
        given.check()


def test_recordings_that_two_splits_share_are_reported(folder: Path) -> None:
    given, said = splits(folder), list[str]()
    for split in ("train", "dev"):
        given_lines = [f"audio/{split}.wav", "audio/a.wav"]
        setattr(given, split, str(manifest(folder, given_lines, f"{split}_more.jsonl")))
    given.check()
    given.manifests(said.append)
    assert said == ["warning: data.train and data.dev share 1 recording: the error rates look better than they are"]


def test_a_pipe_among_the_recordings_is_not_waited_for(folder: Path) -> None:
    assert fingerprint(manifest(folder, ["audio/pipe.wav"], "m.jsonl")).startswith("sha256:")


@pytest.mark.parametrize("split", ["train", "dev", "test"])
@pytest.mark.parametrize("missing", ["none.jsonl", "audio", ""])
def test_a_split_without_a_file_is_named(folder: Path, split: str, missing: str) -> None:
    path = str(folder / missing)
    what = "is a folder" if missing != "none.jsonl" else "no such file"
    with pytest.raises(ValueError, match=re.escape(f"data.{split}={path}: {what}; give the path of a manifest")):
        splits(folder, **{split: path}).check()


@pytest.mark.parametrize("same", ["train.jsonl", "audio/../train.jsonl", "link.jsonl"])
def test_one_file_as_two_splits_is_refused(folder: Path, same: str) -> None:
    (folder / "link.jsonl").symlink_to(folder / "train.jsonl")
    with pytest.raises(ValueError, match="three different manifests"):
        splits(folder, test=str(folder / same)).check()


def test_a_fingerprint_stands_for_a_manifest_that_is_elsewhere_but_does_not_train(folder: Path) -> None:
    here = splits(folder)
    elsewhere = Manifest(**here.content())
    elsewhere.check()
    assert elsewhere.content() == here.content()
    mixed = Manifest(**{**here.content(), "train": here.train, "dev": here.dev})
    mixed.check()
    message = rf"^data\.test={mixed.test}: is the fingerprint of a manifest; give the path of the manifest$"
    with pytest.raises(ValueError, match=message):
        mixed.manifests(silent)


def test_a_name_too_long_for_a_file_is_no_such_file(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"^data\.test=a{300}: no such file; give the path of a manifest"):
        splits(folder, test="a" * 300).check()
