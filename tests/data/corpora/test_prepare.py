"""What every corpus keeps to: from a folder as published to three manifests, or what is missing."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prune_rnn.data.base import SPLITS
from prune_rnn.data.coding import Coding
from prune_rnn.data.corpora.catalogue import CORPORA
from prune_rnn.data.corpora.prepare import PrepareOptions, prepare
from prune_rnn.data.utterances import read_manifest
from prune_rnn.speech.text import alphabet_of

every_corpus = pytest.mark.parametrize("name", CORPORA)
SECONDS = 0.8


def sound(path: Path, container: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(len(path.name)).uniform(-0.3, 0.3, int(16_000 * SECONDS))
    soundfile.write(path, samples, 16_000, format=container, subtype="PCM_16" if container == "NIST" else None)


def librispeech(folder: Path) -> None:
    for part, speaker in (("train-clean-100", 19), ("dev-clean", 84), ("test-clean", 61), ("test-other", 7)):
        chapter = folder / "LibriSpeech" / part / f"{speaker}" / "198"
        for number in range(2):
            sound(chapter / f"{speaker}-198-000{number}.flac")
        lines = f"{speaker}-198-0000 IT'S\n{speaker}-198-0001 NORTH ANGER\n"
        (chapter / f"{speaker}-198.trans.txt").write_text(lines)


def common_voice(folder: Path) -> None:
    own = folder / "de"
    for split, text in (("train", "„Größe“, sagt er."), ("dev", "Ja \u2013 3!"), ("test", "Nein?")):
        sound(own / "clips" / f"common_voice_de_{split}.mp3")
        row = f"{split}speaker\tcommon_voice_de_{split}.mp3\tx\t{text}\t2\n"
        (own / f"{split}.tsv").write_text(f"client_id\tpath\tsentence_id\tsentence\tup_votes\n{row}", encoding="utf-8")


def ljspeech(folder: Path) -> None:
    names = [f"LJ001-{number:04}" for number in range(1, 11)]
    for name in names:
        sound(folder / "wavs" / f"{name}.wav")
    (folder / "metadata.csv").write_text("".join(f'{n}|"No. 1"|"Number one"\n' for n in names), encoding="utf-8")


def an4(folder: Path) -> None:
    for split, speakers in (("train", ("fash", "mrcb", "fbbh")), ("test", ("fcaw",))):
        names = [f"an4_clstk/{speaker}/an1-{speaker}-b" for speaker in speakers]
        for name in names:
            sound(folder / "wav" / f"{name}.sph", "NIST")
        etc = folder / "etc"
        etc.mkdir(exist_ok=True)
        (etc / f"an4_{split}.fileids").write_text("".join(f"{name}\n" for name in names))
        open_, close = ("<s> ", " </s>") if split == "train" else ("", "")
        lines = [f"{open_}YES{close} ({Path(name).name})\n" for name in names]
        (etc / f"an4_{split}.transcription").write_text("".join(lines))


def speech_commands(folder: Path) -> None:
    for word in ("bed", "happy"):
        for speaker in ("0a7c2a8d", "1b4c9b89", "2fcb6397"):
            sound(folder / word / f"{speaker}_nohash_0.wav")
    sound(folder / "_background_noise_" / "pink_noise.wav")
    (folder / "validation_list.txt").write_text("bed/1b4c9b89_nohash_0.wav\nhappy/1b4c9b89_nohash_0.wav\n")
    (folder / "testing_list.txt").write_text("bed/2fcb6397_nohash_0.wav\nhappy/2fcb6397_nohash_0.wav\n")


def fsdd(folder: Path) -> None:
    for speaker in ("george", "jackson", "lucas", "theo"):
        for digit in (0, 7):
            sound(folder / "recordings" / f"{digit}_{speaker}_0.wav")


def folder(place: Path) -> None:
    for speaker in ("anna", "ben", "cleo"):
        for number in range(2):
            sound(place / "de" / speaker / f"{number}.flac")
            (place / "de" / speaker / f"{number}.txt").write_text("Größe 7,\nja\n", encoding="utf-8")


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "librispeech": librispeech,
    "common_voice": common_voice,
    "ljspeech": ljspeech,
    "an4": an4,
    "speech_commands": speech_commands,
    "fsdd": fsdd,
    "folder": folder,
}


def published(name: str, tmp_path: Path) -> Path:
    """Returns a corpus's folder of a few recordings, as it is published."""
    folder = tmp_path / name
    folder.mkdir()
    LAYOUTS[name](folder)
    return folder / "de" if (folder / "de").exists() else folder


def entries(folder: Path, split: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


@every_corpus
def test_manifests_can_be_trained_on_wherever_the_folder_is_moved(name: str, tmp_path: Path) -> None:
    made = prepare(name, published(name, tmp_path), PrepareOptions())
    folder = shutil.move(made.manifests["train"].parent, tmp_path / "moved")
    for split in ("train", "dev", "test"):
        lines = entries(Path(folder), split)
        assert lines and all(line["duration"] == pytest.approx(SECONDS, abs=0.06) for line in lines)
        alphabet = alphabet_of(made.alphabet)
        assert not {character for line in lines for character in line["text"]} - set(alphabet)
        coding = Coding(alphabet=alphabet)
        assert read_manifest(Path(folder) / f"{split}.jsonl", lambda n: n // 2, False, print, coding=coding)


@every_corpus
def test_no_speaker_is_in_two_splits_unless_there_is_one(name: str, tmp_path: Path) -> None:
    folder = prepare(name, published(name, tmp_path), PrepareOptions()).manifests["train"].parent
    speakers = [{line["speaker"] for line in entries(folder, split)} for split in ("train", "dev", "test")]
    assert len(set.union(*speakers)) == (1 if name == "ljspeech" else sum(map(len, speakers)))


@pytest.mark.parametrize("name", [name for name in CORPORA if name != "folder"])
def test_what_is_missing_is_named_with_where_it_comes_from(name: str, tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    with pytest.raises(ValueError, match=r"is not .* as published: it has no .*; get it from http"):
        prepare(name, tmp_path / "de", PrepareOptions())


@every_corpus
def test_it_tells_hours_speakers_words_and_the_next_command(name: str, tmp_path: Path) -> None:
    text = str(prepare(name, published(name, tmp_path), PrepareOptions()))
    assert "hours" in text and "different words" in text and "prune-rnn train data=manifest data.train=" in text


@pytest.mark.parametrize(
    ("name", "split", "text"),
    [
        ("librispeech", "train", "it's"),
        ("common_voice", "train", "größe sagt er"),
        ("common_voice", "dev", "ja drei"),
        ("ljspeech", "test", "number one"),
        ("an4", "test", "yes"),
        ("speech_commands", "dev", "bed"),
        ("fsdd", "test", "zero"),
        ("folder", "train", "größe sieben ja"),
    ],
)
def test_texts_are_those_of_the_corpus_ready_to_train_on(name: str, split: str, text: str, tmp_path: Path) -> None:
    folder = prepare(name, published(name, tmp_path), PrepareOptions()).manifests["train"].parent
    assert entries(folder, split)[0]["text"] == text


def test_a_folder_has_splits_and_speakers_by_its_folders(tmp_path: Path) -> None:
    """Two recordings of train without a speaker, one of dev by anna, one of test by anna and one by ben."""
    for name in ("train/1", "train/2", "dev/anna/3", "test/anna/4", "test/ben/b.5"):
        sound(tmp_path / f"{name}.wav")
        (tmp_path / f"{name}.txt").write_text("a cat")
    made = prepare("folder", tmp_path, PrepareOptions(language="en"))
    assert [row[2:4] for row in made.rows] == [(2, 0), (1, 1), (2, 2)] and made.notes == []


def placed(folder: Path, *names: str) -> Path:
    for name in names:
        sound(folder / f"{name}.wav")
        (folder / f"{name}.txt").write_text("a cat")
    return folder


def test_the_first_folder_is_the_speaker_and_splits_have_other_names_too(tmp_path: Path) -> None:
    names = [f"{speaker}/{day}/1" for speaker in ("anna", "ben", "cleo") for day in ("monday", "tuesday")]
    made = prepare("folder", placed(tmp_path / "nested", *names), PrepareOptions(language="en"))
    assert [row[2:4] for row in made.rows] == [(2, 1), (2, 1), (2, 1)]
    assert made.notes[1].startswith("warning: train keeps only 33 % of the speech, as speakers are few; folders named")
    made = prepare("folder", placed(tmp_path / "named", "Train/1", "Valid/2", "Test/3"), PrepareOptions(language="en"))
    assert {split: entries(tmp_path / "named", split)[0]["audio_filepath"] for split in SPLITS} == {
        "train": "Train/1.wav", "dev": "Valid/2.wav", "test": "Test/3.wav",
    }  # fmt: skip


def test_a_recording_of_no_known_speaker_is_never_set_aside(tmp_path: Path) -> None:
    folder = placed(tmp_path, "1", "2", "3", "anna/1", "ben/1", "cleo/1")
    prepare("folder", folder, PrepareOptions(language="en"))
    assert {len(entries(folder, split)) for split in ("dev", "test")} == {1} and len(entries(folder, "train")) == 4


def test_what_a_folder_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"anna/1: lies beside the train folder; move it into that of train, dev or"):
        prepare("folder", placed(tmp_path / "mixed", "train/1", "anna/1"), PrepareOptions(language="en"))
    with pytest.raises(ValueError, match=r"2 utterances can be used, too few for train, dev, test$"):
        prepare("folder", placed(tmp_path / "two", "1", "2"), PrepareOptions(language="en"))
    (placed(tmp_path / "aligned", "1", "2", "3") / "1.json").write_text("{}")  # any other file may lie beside
    assert prepare("folder", tmp_path / "aligned", PrepareOptions(language="en")).notes[1:] == []
    phone = placed(tmp_path / "phone", "1")
    (phone / "1.wav").rename(phone / "1.m4a").write_bytes(b"ftypM4A")
    with pytest.raises(
        ValueError, match=r"too few.*\nleft out: 1 have a file .*1\.m4a: .*; convert it to WAV or FLAC$"
    ):
        prepare("folder", phone, PrepareOptions(language="en"))


def test_of_a_folder_without_speakers_the_last_recordings_are_dev_and_test(tmp_path: Path) -> None:
    for number in range(10):
        sound(tmp_path / f"{number}.WAV", "WAV")
        (tmp_path / f"{number}.{'TXT' if number else 'txt'}").write_text("a cat")
    sound(tmp_path / "silent.ogg")
    (tmp_path / "lost.txt").write_text("a cat")
    made = prepare("folder", tmp_path, PrepareOptions(language="en"))
    assert [row[2] for row in made.rows] == [8, 1, 1]
    assert made.notes[0] == "dev and test: the last recordings; their speakers are not known"
    assert any("1 have no text, such as" in note and "silent.ogg" in note for note in made.notes)
    assert any("1 have no recording, such as" in note and note.endswith("lost") for note in made.notes)


def test_a_folder_that_leaves_a_choice_or_has_no_text_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    with pytest.raises(ValueError, match=r"has no text files; put the text of a\.wav into a\.txt, beside it"):
        prepare("folder", tmp_path, PrepareOptions(language="en"))
    (tmp_path / "a.txt").write_text("a cat")
    sound(tmp_path / "a.flac")
    with pytest.raises(ValueError, match=r"/a: has \.flac and \.wav; leave one of them"):
        prepare("folder", tmp_path, PrepareOptions(language="en"))


def test_what_can_not_be_used_is_counted_with_the_reason(tmp_path: Path) -> None:
    folder = published("ljspeech", tmp_path)
    (folder / "wavs" / "LJ001-0002.wav").unlink()
    (folder / "wavs" / "LJ001-0003.wav").write_bytes(b"RIFF")
    lines = (folder / "metadata.csv").read_text().splitlines()
    lines[0], lines[3] = "LJ001-0001|100 %|100 %", f"LJ001-0004|x|{'abc' * 40}"
    (folder / "metadata.csv").write_text("\n".join(lines))
    text = str(prepare("ljspeech", folder, PrepareOptions()))
    assert "left out: 1 have characters outside the alphabet, such as" in text and "LJ001-0001.wav: '%'" in text
    assert "in 'one hundred %'; --alphabet takes others" in text
    assert "left out: 1 have no recording" in text and "left out: 1 have a file that is not readable as audio" in text
    assert "; convert it to WAV or FLAC" in text
    assert "left out: 1 have more characters than frames of 20 ms, such as" in text and "LJ001-0004.wav: " in text


def test_a_manifest_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    folder = published("fsdd", tmp_path)
    prepare("fsdd", folder, PrepareOptions())
    with pytest.raises(ValueError, match=r"train\.jsonl is already there; give another folder by --out"):
        prepare("fsdd", folder, PrepareOptions())
    prepare("fsdd", folder, PrepareOptions(force=True))
    prepare("fsdd", folder, PrepareOptions(out=str(tmp_path / "elsewhere")))
    assert entries(tmp_path / "elsewhere", "dev")[0]["audio_filepath"].startswith("../fsdd/recordings/")


def test_a_german_corpus_has_its_own_letters_and_the_command_names_them(tmp_path: Path) -> None:
    made = prepare("common_voice", published("common_voice", tmp_path), PrepareOptions())
    assert set("öß") < set(made.alphabet) and "ü" not in made.alphabet
    assert f"'data.alphabet={made.alphabet}'" in str(made)


def test_a_latin_alphabet_has_all_of_a_to_z(tmp_path: Path) -> None:
    """Later texts have the letters that these lack; half of the alphabet in use is enough to know it."""
    folder = published("folder", tmp_path)
    for path in folder.rglob("*.txt"):
        path.write_text("Größe sieben, danach kam nichts", encoding="utf-8")
    made = prepare("folder", folder, PrepareOptions())
    assert made.alphabet == "abcdefghijklmnopqrstuvwxyzßö"


def test_the_command_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    out = tmp_path / "o 3's"
    made = prepare("common_voice", published("common_voice", tmp_path), PrepareOptions(out=str(out)))
    words = shlex.split(str(made).splitlines()[-1])
    assert words[:6] == ["prune-rnn", "train", "data=manifest", *(f"data.{s}={out}/{s}.jsonl" for s in SPLITS)]
    assert words[6:] == [f"data.alphabet={made.alphabet}"]


def test_a_language_nobody_knows_is_asked_for(tmp_path: Path) -> None:
    folder = published("common_voice", tmp_path).rename(tmp_path / "corpus")
    with pytest.raises(ValueError, match="in which language are its transcripts"):
        prepare("common_voice", folder, PrepareOptions())


def test_an_unknown_corpus_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="libri: no such corpus; "):
        prepare("libri", tmp_path, PrepareOptions())


def test_a_line_that_is_not_as_published_is_named(tmp_path: Path) -> None:
    folder = published("ljspeech", tmp_path)
    (folder / "metadata.csv").write_text("LJ001-0001|only two\n")
    with pytest.raises(ValueError, match=r"metadata\.csv: line 1 is not NAME\|TEXT\|TEXT; get the file again"):
        prepare("ljspeech", folder, PrepareOptions())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"test\.tsv: line 1 is not a header with client_id, path, sentence; get the file again from http"),
        (
            "client_id\tpath\tsentence\nx\ty\t\u00fc\n".encode("latin-1"),
            r"test\.tsv: .*line 2 is not UTF-8.*; save it as UTF",
        ),
    ],
)
def test_a_table_that_can_not_be_read_is_named_with_the_way_out(content: bytes, message: str, tmp_path: Path) -> None:
    folder = published("common_voice", tmp_path)
    (folder / "test.tsv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        prepare("common_voice", folder, PrepareOptions())
