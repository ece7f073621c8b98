"""A corpus that was made is read as it was made, or its damaged file names itself."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from prune_rnn.data.batch import read_audio
from prune_rnn.data.synthetic.settings import Synthetic
from prune_rnn.data.utterances import read_manifest
from prune_rnn.integrity import corpus as integrity

SECOND = 1 / 3600  # hours


def settings(cache: Path) -> Synthetic:
    return Synthetic(train_hours=SECOND, dev_hours=SECOND, test_hours=SECOND, cache=str(cache), workers=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return settings(tmp_path_factory.mktemp("made")).manifests(lambda line: None)["dev"].parent


@pytest.fixture
def corpus(made: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    shutil.copytree(made, tmp_path / made.name)
    return tmp_path / made.name


def test_sha256sum_finds_a_fresh_corpus_whole(made: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", integrity.NAME], cwd=made, capture_output=True, text=True, check=True)
    assert done.stdout.count(": OK") == len(integrity.files(made)) == len([p for p in made.rglob("*.*")]) - 1


def test_a_recording_with_any_bit_flipped_is_refused(corpus: Path, flipped: Callable) -> None:
    path, random = next((corpus / "dev").iterdir()), Random(0)
    content = path.read_bytes()
    for _ in range(100):
        path.write_bytes(flipped(content, random.randrange(8 * len(content))))
        with pytest.raises(OSError, match=rf"{path.name} is damaged or gone; delete {corpus} to have the corpus made"):
            read_audio(path)
    path.write_bytes(content)
    assert len(read_audio(path))


def test_a_recording_is_checked_once_in_a_process(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = next((corpus / "dev").iterdir())
    read_audio(path)
    monkeypatch.setattr(integrity, "_digest", lambda path: pytest.fail("checked again"))
    read_audio(path)


@pytest.mark.parametrize("content", [None, b"", b"no audio"])
def test_a_recording_that_can_not_be_opened_is_no_bad_line(corpus: Path, content: bytes | None) -> None:
    """`data.skip_bad=true` would be wrong advice."""
    path = next((corpus / "dev").iterdir())
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OSError, match=r"is damaged or gone; delete .* to have the corpus made again"):
        read_manifest(corpus / "dev.jsonl", lambda frames: frames, False, print)


def test_a_manifest_with_a_bit_flipped_is_refused(corpus: Path, flipped: Callable) -> None:
    path = corpus / "train.jsonl"
    path.write_bytes(flipped(path.read_bytes(), 300))
    with pytest.raises(OSError, match=r"train\.jsonl is damaged or gone; delete"):
        settings(corpus.parent).manifests(print)


def test_a_corpus_without_its_list_is_damaged(corpus: Path) -> None:
    (corpus / integrity.NAME).unlink()
    with pytest.raises(OSError, match=r"synthetic\.sha256 is missing or damaged .*; delete .* made again"):
        settings(corpus.parent).manifests(print)
