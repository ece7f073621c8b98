"""`prune-rnn transcribe` on recordings of several formats and rates."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.pack import pack
from prune_rnn.deploy.stream import GreedyStream
from prune_rnn.engine.quantise import Dtype


@pytest.fixture
def recordings(tmp_path: Path) -> list[str]:
    """The same second of sound as WAV of 16 kHz and as stereo FLAC of 44.1 kHz."""
    files = []
    for name, rate, channels in (("a.wav", 16_000, 1), ("b.flac", 44_100, 2)):
        time = np.arange(rate) / rate
        wave = 0.3 * np.sin(2 * np.pi * 700 * time) * (time > 0.3)
        soundfile.write(tmp_path / name, np.repeat(wave[:, None], channels, axis=1), rate)
        files.append(str(tmp_path / name))
    return files


def packed_file(network: Callable, name: str, folder: Path) -> str:
    model, kept = network(name)
    with torch.no_grad():
        model.output.weight *= 30  # decided enough for any resampler
    path = folder / f"{name}.safetensors"
    path.write_bytes(to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(161), torch.ones(161))))
    return str(path)


@pytest.mark.parametrize("name", ["gru_sparse", "rnn_sparse"])
def test_whole_files(network: Callable, command: Callable, recordings: list[str], tmp_path: Path, name: str) -> None:
    done = command("transcribe", packed_file(network, name, tmp_path), *recordings, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [path for path, _ in lines] == recordings and all(text for _, text in lines)
    assert done.stderr.count("real-time factor") == 2 and "1.00 s of audio" in done.stderr


def test_a_beam_of_many_hypotheses(network: Callable, command: Callable, recordings: list[str], tmp_path: Path) -> None:
    done = command("transcribe", packed_file(network, "gru_sparse", tmp_path), recordings[0], "--beam", "8", check=True)
    assert done.stdout.strip()


def test_a_language_model(network: Callable, command: Callable, recordings: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text("\\1-grams:\n-0.3 seven\n-0.3 six\n\\end\\\n")
    words = [packed_file(network, "gru_sparse", tmp_path), recordings[0], "--beam", "8", "--word-bonus", "9", "--lm"]
    done = command("transcribe", *words, "a.arpa", check=True)
    assert (
        done.stdout.split()
        and set(done.stdout.split()) <= {"seven", "six"}
        and "a.arpa: 1-gram, 2 words, no others" in done.stderr
    )
    missing = command("transcribe", *words, "b.arpa")
    assert missing.returncode == 1 and "b.arpa" in missing.stderr and "Traceback" not in missing.stderr


def test_files_at_a_time_come_in_order_with_the_same_texts(
    network: Callable, command: Callable, recordings: list[str], tmp_path: Path
) -> None:
    words = [packed_file(network, "gru_sparse", tmp_path), *recordings, recordings[0]]
    one, three = command("transcribe", *words, check=True), command("transcribe", *words, "--jobs", "3", check=True)
    assert one.stdout == three.stdout and len(one.stdout.splitlines()) == 3
    assert "all, 3 at a time: real-time factor" in three.stderr and "(3.00 s of audio in" in three.stderr
    assert "all, " not in one.stderr


def test_streaming(network: Callable, command: Callable, recordings: list[str], tmp_path: Path) -> None:
    done = command("transcribe", "--stream", packed_file(network, "gru_sparse", tmp_path), recordings[0], check=True)
    assert done.stdout.strip() and "\t" not in done.stdout and "real-time factor" in done.stderr
    assert done.stderr.endswith(", 1 thread\n")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_streams_print_no_stray_spaces(
    network: Callable,
    command: Callable,
    recordings: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jobs: str,
) -> None:
    monkeypatch.setattr(GreedyStream, "feed", lambda self, log_probs: " a " if len(log_probs) else "")
    words = ["--stream", packed_file(network, "gru_sparse", tmp_path), *recordings, "--jobs", jobs]
    lines = [line.split("\t")[1] for line in command("transcribe", *words, check=True).stdout.splitlines()]
    assert all(line == " ".join(["a"] * line.count("a")) != "" for line in lines) and len(lines) == 2


def test_streams_side_by_side_give_the_same_texts(
    network: Callable, command: Callable, recordings: list[str], tmp_path: Path
) -> None:
    """Three files two at a time, of which the first is the longest: the third begins before the first has ended."""
    samples = np.concatenate([soundfile.read(recordings[0])[0]] * 3)
    soundfile.write(long := tmp_path / "long.wav", samples, 16_000)
    words = ["--stream", packed_file(network, "gru_sparse", tmp_path), str(long), *recordings]
    one, two = command("transcribe", *words, check=True), command("transcribe", *words, "--jobs", "2", check=True)
    assert one.stdout == two.stdout and len(one.stdout.splitlines()) == 3
    assert "all, 2 at a time: real-time factor" in two.stderr and "(5.00 s of audio in" in two.stderr
    assert "all, " not in one.stderr


def test_what_can_not_be_transcribed_is_said(
    network: Callable, command: Callable, recordings: list[str], broken_flac: Path, tmp_path: Path
) -> None:
    model = packed_file(network, "rnn_sparse", tmp_path)
    short, text, absurd = (tmp_path / f"{name}.wav" for name in ("short", "text", "absurd"))
    soundfile.write(absurd, np.full(3000, 1e30, np.float32), 16_000, subtype="FLOAT")
    soundfile.write(short, np.zeros(300), 16_000)
    soundfile.write(click := tmp_path / "click.wav", np.zeros(1), 16_000)
    text.write_text("no sound")
    soundfile.write(cut := tmp_path / "cut.wav", np.zeros(1000), 16_000)
    cut.write_bytes(cut.read_bytes()[:1900])
    for words, message in (
        ([model, str(tmp_path / "no.wav")], "no.wav: no such file"),
        ([model, str(tmp_path)], f"{tmp_path}: is not a file; give a recording"),
        ([model, "/dev/null"], "/dev/null: is not a file; give a recording"),
        ([model, str(short)], "short.wav: is shorter than one window of 20 ms: 300 samples at 16 kHz"),
        ([model, str(click)], "click.wav: is shorter than one window of 20 ms: 1 sample at 16 kHz\n"),
        ([model, str(absurd)], "absurd.wav: holds a sample of 1e+30, and sound lies within -1 and 1"),
        ([model, str(text)], "text.wav can't be decoded"),
        ([model, str(broken_flac)], "broken.flac can't be decoded"),
        ([model, str(cut)], "cut.wav is cut off: it has 1,900 of 2,044 bytes; fix it, or leave it out"),
        ([recordings[0], recordings[0]], "a.wav is damaged or no packed network"),
        (["--stream", model, recordings[0]], "needs whole files: leave out --stream"),
        ([model, recordings[0], "--threads", "0"], "'--threads': 0 is not in the range 1<=x<=1024"),
        ([model, recordings[0], "--jobs", "0"], "'--jobs': 0 is not in the range 1<=x<=1024"),
        (["--stream", model, recordings[0], "--jobs", "2"], "needs whole files: leave out --stream"),
    ):
        done = command("transcribe", *words)
        wanted = 2 if words[-1] == "0" else 1
        assert done.returncode == wanted and message in done.stderr and done.stderr.count("\n") == 1, done.stderr
        assert "Traceback" not in done.stderr and not done.stdout
    assert command("transcribe", model).returncode == 2


@pytest.mark.parametrize("more", [[], ["--jobs=2"], ["--stream"], ["--stream", "--jobs=2"]])
def test_one_bad_file_does_not_cost_the_texts_of_the_others(
    network: Callable, command: Callable, recordings: list[str], tmp_path: Path, more: list[str]
) -> None:
    model, (first, last) = packed_file(network, "gru_sparse", tmp_path), recordings
    (bad := tmp_path / "bad.wav").write_text("no sound")
    good = command("transcribe", model, first, last, *more, check=True)
    done = command("transcribe", model, first, str(bad), "no.wav", last, *more)
    assert done.returncode == 1 and done.stdout == good.stdout and len(good.stdout.splitlines()) == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("prune-rnn: ")]
    assert len(errors) == 2 and "bad.wav can't be decoded" in errors[0]
    assert errors[1] == "prune-rnn: no.wav: no such file"
    assert len(done.stderr.splitlines()) == len(good.stderr.splitlines()) + 2
    assert command("transcribe", model, str(bad), "no.wav", *more).stdout == ""


def test_no_more_files_at_a_time_are_reported_than_there_are(
    network: Callable, command: Callable, recordings: list[str], tmp_path: Path
) -> None:
    model = packed_file(network, "gru_sparse", tmp_path)
    assert "at a time" not in command("transcribe", model, recordings[0], "--jobs=100", check=True).stderr
    assert "all, 2 at a time" in command("transcribe", model, *recordings, "--jobs=100", check=True).stderr


@pytest.mark.parametrize("searched", [[], ["--beam=4", "--lm=a.arpa", "--word-bonus=9"]])
def test_formats_hold_the_text_with_the_times_of_its_words(
    network: Callable, command: Callable, recordings: list[str], tmp_path: Path, searched: list[str]
) -> None:
    (tmp_path / "a.arpa").write_text("\\1-grams:\n-0.3 a\n-0.3 the\n-0.3 <unk>\n\\end\\\n")
    words = ["transcribe", packed_file(network, "gru_sparse", tmp_path), *recordings, *searched]
    texts = [line.split("\t")[1] for line in command(*words, check=True).stdout.splitlines()]
    entries = [json.loads(line) for line in command(*words, "--format=json", check=True).stdout.splitlines()]
    assert [entry["audio"] for entry in entries] == recordings
    assert [entry["text"] for entry in entries] == texts
    times = [time for word in entries[0]["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times) and times[0] >= 0 and times[-1] <= 1.0
    one = [word for word in words if word not in recordings[1:]]
    assert command(*one, "--format=vtt", check=True).stdout.startswith("WEBVTT\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b", "--format", "srt"], "--format srt: takes one recording; give one AUDIO"),
        (["a", "--format", "json", "--stream"], "--format json: has the times of a whole file's words; leave out"),
        (["a", "--beam", "4", "--stream"], "--beam 4: --stream writes the best path"),
        (["a", "--beam", "4", "--format", "vtt"], "leave one of the two out, or give --lm FILE"),
        (["a", "--lm", "a.arpa"], "--lm a.arpa: needs a beam search; give --beam 16 as well"),
        (["a", "--beam", "0"], "0 is not in the range 1<=x<=1000"),
    ],
)
def test_a_format_that_can_not_be_written_is_refused(command: Callable, words: list[str], message: str) -> None:
    done = command("transcribe", "model", *words)
    assert done.returncode == 2 and message in done.stderr
