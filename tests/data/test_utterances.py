"""Every line of a manifest is either used or named with its number and what is wrong with it."""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prune_rnn.data.batch import Utterance, collate
from prune_rnn.data.fingerprint import fingerprint, recordings
from prune_rnn.data.utterances import read_manifest


def halved(frames: int) -> int:
    return (frames - 1) // 2 + 1


def silent(line: str) -> None:
    raise AssertionError(f"nothing to report, but: {line}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.wav lasts 1630 samples: 9 frames, 5 after halving; short.wav less than a window; empty.wav nothing."""
    (tmp_path / "audio").mkdir()
    for name, samples in (("a", 1630), ("short", 319), ("empty", 0)):
        soundfile.write(tmp_path / "audio" / f"{name}.wav", np.zeros(samples), 16000)
    soundfile.write(tmp_path / "audio" / "nan.wav", np.full(1630, np.nan), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "audio" / "slow.wav", np.zeros(200), 1)
    soundfile.write(tmp_path / "audio" / "odd.wav", np.zeros(4410), 44101)
    os.mkfifo(tmp_path / "audio" / "pipe.wav")
    (tmp_path / "audio" / "text.wav").write_text("no sound at all")
    (tmp_path / "audio" / "cut.wav").write_bytes((tmp_path / "audio" / "a.wav").read_bytes()[:3000])
    return tmp_path


def entry(audio: Any = "audio/a.wav", text: Any = "ab", **more: Any) -> str:
    return json.dumps({"audio_filepath": str(audio), "duration": 0.1, "text": text, **more}, ensure_ascii=False)


def manifest(folder: Path, lines: Iterable[str], name: str = "m.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# --- lines that can be used -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "speaker"), [({}, None), ({"speaker": "en+m1"}, "en+m1"), ({"speaker": 7}, None)])
def test_the_speaker_is_reported_where_the_line_names_one(
    folder: Path, more: dict[str, Any], speaker: str | None
) -> None:
    (found,) = read_manifest(manifest(folder, [entry(**more)]), halved, False, silent)
    assert found.speaker == speaker


def test_relative_paths_count_from_the_manifest_and_absolute_ones_stand(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = folder / "audio" / "a.wav"
    monkeypatch.chdir("/")
    (folder / "deep").mkdir()
    path = manifest(folder / "deep", [entry("../audio/a.wav"), entry(wanted)])
    found = read_manifest(path, halved, False, silent)
    assert [u.audio.resolve() for u in found] == [wanted, wanted]
    assert found[1] == Utterance(wanted, 9, "ab")


def test_transcripts_are_normalised_and_other_keys_and_blank_lines_ignored(folder: Path) -> None:
    path = manifest(folder, ["", entry(text="  A  B' ", speaker=7), "   ", entry(text="c")])
    assert [u.transcript for u in read_manifest(path, halved, False, silent)] == ["a b'", "c"]


@pytest.mark.parametrize("duration", [0.1, 0.2, 0.002, None, 0])  # the audio lasts 0.102 s
def test_the_duration_that_a_line_states_may_be_off_by_a_tenth_of_a_second(folder: Path, duration: Any) -> None:
    without = json.dumps({"audio_filepath": "audio/a.wav", "text": "ab"})
    path = manifest(folder, [entry(duration=duration or 0.05), without])
    assert [u.frames for u in read_manifest(path, halved, False, silent)] == [9, 9]


def test_a_long_recordings_duration_may_be_off_by_a_hundredth(folder: Path) -> None:
    soundfile.write(folder / "audio" / "long.wav", np.zeros(40 * 8000), 8000)
    for duration, fits in ((39.7, True), (40.3, True), (39.5, False), (40.5, False)):
        path = manifest(folder, [entry("audio/long.wav", duration=duration)])
        if fits:
            assert len(read_manifest(path, halved, False, silent)) == 1
        else:
            with pytest.raises(ValueError, match=f"the duration is {duration} s, the audio lasts 40.00 s"):
                read_manifest(path, halved, False, silent)


def test_a_byte_order_mark_is_accepted(folder: Path) -> None:
    path = folder / "m.jsonl"
    path.write_text(f"{entry()}\n{entry(text='c')}\n", encoding="utf-8-sig")
    assert [u.transcript for u in read_manifest(path, halved, False, silent)] == ["ab", "c"]
    assert len(recordings(path)) == 1  # the first line's counts


@pytest.mark.parametrize(
    ("rate", "samples", "frames"), [(8000, 800, 9), (44100, 4410, 9), (48000, 960, 1), (48000, 958, 1)]
)
def test_frames_are_those_at_16_kilohertz(folder: Path, rate: int, samples: int, frames: int) -> None:
    """800 samples at 8 kHz are 1600 at 16 kHz: 9 windows. 960 at 48 kHz are 320, one window; so are 958, rounded up."""
    soundfile.write(folder / "audio" / "r.wav", np.zeros((samples, 2)), rate)
    (found,) = read_manifest(manifest(folder, [entry("audio/r.wav", "a")]), halved, False, silent)
    assert found.frames == frames == collate([found]).features.shape[2]


@pytest.mark.parametrize("text", ["abcde", "aab", "aba"])  # 5, 4 and 3 frames of 5
def test_a_transcript_that_just_fits_is_used(folder: Path, text: str) -> None:
    assert len(read_manifest(manifest(folder, [entry(text=text)]), halved, False, silent)) == 1


def test_a_line_ends_at_its_newline_and_nowhere_else(folder: Path) -> None:
    """U+2028 and U+0085 are allowed within JSON; they are white space of the transcript, not ends of lines."""
    path = manifest(folder, [entry(text="a\u2028b"), entry(text="c\u0085d"), "broken"])
    with pytest.raises(ValueError, match=r"1 of 3 lines can't be used \(1 malformed\):\n  line 3 is not JSON"):
        read_manifest(path, halved, False, silent)


def test_lines_may_end_as_windows_ends_them(folder: Path) -> None:
    path = folder / "m.jsonl"
    path.write_bytes(f"{entry()}\r\n{entry(text='c')}\r\n".encode())
    assert [u.transcript for u in read_manifest(path, halved, False, silent)] == ["ab", "c"]
    assert len(recordings(path)) == 1


@pytest.mark.parametrize("end", ["\r", "\n\r"])
def test_a_bare_carriage_return_is_refused_by_all_who_read_the_manifest(folder: Path, end: str) -> None:
    """Else one would see lines where the leak check sees none."""
    path = folder / "m.jsonl"
    path.write_bytes(f"{entry()}\n{entry()}{end}{entry(text='c')}\n".encode())
    number = 3 if "\n" in end else 2
    for reader in (lambda: read_manifest(path, halved, True, silent), lambda: fingerprint(path)):
        with pytest.raises(ValueError, match=rf"m\.jsonl: .*line {number} has a carriage return that ends no line"):
            reader()


# --- lines that can't -------------------------------------------------------------------------------------------------

BAD = [
    ("{", "is not JSON"),
    ("not json", "is not JSON"),
    ("[1, 2]", "is not a JSON object"),
    ('"text"', "is not a JSON object"),
    ('{"text": "ab"}', "has no string 'audio_filepath'"),
    ('{"audio_filepath": 3, "text": "ab"}', "has no string 'audio_filepath'"),
    ('{"audio_filepath": "audio/a.wav"}', "has no string 'text'"),
    (entry(text=None), "has no string 'text'"),
    (entry(text=""), "audio/a.wav: the transcript is empty"),
    (entry(text=" \t "), "audio/a.wav: the transcript is empty"),
    (entry(text="ab 3é!"), "audio/a.wav: the transcript has characters outside the alphabet (a-z, space, '): '!3é'"),
    (entry("audio/none.wav"), "audio/none.wav: no such file"),
    (entry("audio"), "audio: is not a file"),
    (entry(""), ": is not a file"),
    (entry("a" * 300), f"{'a' * 300}: "),  # longer than a file's name can be
    (entry(f"{'a' * 300}/b.wav"), f"{'a' * 300}/b.wav: is not readable as audio"),
    (entry(f"{'a' * 300}/b/c.wav"), f"{'a' * 300}/b/c.wav: is not readable as audio"),
    (entry("audio/text.wav"), "audio/text.wav: is not readable as audio"),
    (entry("audio/cut.wav", "a"), "audio/cut.wav is cut off: it has 3,000 of 3,304 bytes"),  # 1630 samples, 44 bytes
    (entry("audio/short.wav", "a"), "audio/short.wav: the transcript needs 1 output frames, the audio gives 0"),
    (entry("audio/empty.wav", "a"), "audio/empty.wav: the transcript needs 1 output frames, the audio gives 0"),
    (entry(text="abcdef"), "audio/a.wav: the transcript needs 6 output frames, the audio gives 5"),
    *((entry(duration=wrong), "audio/a.wav: the duration is ") for wrong in (-1, 1e12, 0.25, float("nan"), 10**400)),
    *((entry(duration=wrong), "is not a number of seconds") for wrong in ("abc", "0.1", [], True)),
    (entry("audio/nan.wav"), "audio/nan.wav: holds samples that are not finite numbers"),
    (entry("audio/slow.wav"), "audio/slow.wav: has a sample rate of 1 Hz; speech needs 4000 Hz or more"),
    (entry("audio/odd.wav"), "audio/odd.wav: has a sample rate of 44101 Hz, which takes gigabytes to resample"),
    (entry("audio/pipe.wav"), "audio/pipe.wav: is not a file"),
    ("[" * 100_000, "is JSON that can't be read"),
    ('{"duration": ' + "9" * 5000, "is JSON that can't be read"),
    (entry(text="aaab"), "audio/a.wav: the transcript needs 6 output frames, the audio gives 5"),
]


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message[-40:] for _, message in BAD])
@pytest.mark.parametrize("skip_bad", [False, True], ids=["stop", "skip"])
def test_a_bad_line_is_named_with_its_number(folder: Path, line: str, message: str, skip_bad: bool) -> None:
    path = manifest(folder, [entry(), "", line, entry(text="c")])
    reports: list[str] = []
    if skip_bad:
        assert [u.transcript for u in read_manifest(path, halved, True, reports.append)] == ["ab", "c"]
    else:
        with pytest.raises(ValueError, match=r"fix them, or leave them out with data\.skip_bad=true$") as error:
            read_manifest(path, halved, False, silent)
        reports.append(str(error.value))
    (report,) = reports
    head, bad = report.splitlines()[:2]
    assert head.startswith(f"{path}: 1 of 3 lines can't be used (1 ")
    assert bad.startswith("  line 3 ")
    assert message in bad


def test_what_is_broken_behind_its_header_is_named_where_recordings_are_decoded(
    folder: Path, broken_flac: Path
) -> None:
    path = manifest(folder, [entry(), entry(broken_flac, "a", duration=0.6)])
    assert len(read_manifest(path, halved, False, silent)) == 2
    with pytest.raises(ValueError, match=r"\(1 with unreadable audio\):\n  line 2 .*broken\.flac can't be decoded"):
        read_manifest(path, halved, False, silent, decode=True)
    reports: list[str] = []
    assert len(read_manifest(path, halved, True, reports.append, decode=True)) == 1 and len(reports) == 1


def test_all_bad_lines_are_counted_and_named_at_once(folder: Path) -> None:
    path = manifest(folder, [*(line for line, _ in BAD), entry()])
    with pytest.raises(ValueError, match=f"{len(BAD)} of {len(BAD) + 1} lines can't be used"):
        read_manifest(path, halved, False, silent)


@pytest.mark.parametrize(("bad", "shown", "more"), [(10, 10, None), (11, 10, 1), (30, 10, 20)])
def test_an_error_lists_ten_lines_and_counts_the_rest(folder: Path, bad: int, shown: int, more: int | None) -> None:
    path = manifest(folder, ["x"] * bad + [entry()])
    with pytest.raises(ValueError, match=f"{bad} of {bad + 1} lines") as error:
        read_manifest(path, halved, False, silent)
    assert re.findall(r"line (\d+)", str(error.value)) == [str(i) for i in range(1, shown + 1)]
    assert re.findall(r"and (\d+) more", str(error.value)) == ([] if more is None else [str(more)])


def test_what_is_skipped_is_listed_in_full(folder: Path) -> None:
    reports: list[str] = []
    path = manifest(folder, ["x"] * 30 + [entry()])
    assert len(read_manifest(path, halved, True, reports.append)) == 1
    assert re.findall(r"line (\d+)", reports[0]) == [str(i) for i in range(1, 31)]
    assert "more" not in reports[0]


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("lines", [[], ["", "  "]], ids=["empty", "blank"])
def test_an_empty_manifest_is_refused(folder: Path, lines: list[str], skip_bad: bool) -> None:
    path = manifest(folder, lines)
    with pytest.raises(ValueError, match=re.escape(f"{path}: has no utterance")):
        read_manifest(path, halved, skip_bad, silent)


def test_a_manifest_of_bad_lines_only_is_refused_even_where_they_are_skipped(folder: Path) -> None:
    reports: list[str] = []
    with pytest.raises(ValueError, match="has no utterance"):
        read_manifest(manifest(folder, ["x", "y"]), halved, True, reports.append)
    assert "2 of 2 lines" in reports[0]


def test_a_manifest_that_is_no_text_is_refused(folder: Path) -> None:
    sound, latin = folder / "audio" / "a.wav", folder / "latin.jsonl"
    sound.write_bytes(b"\xff\xfe\x00\x01")
    latin.write_bytes(f"{entry()}\n\n{entry(text='ä')}\n".encode("latin-1"))
    for bad, message in (
        (sound, "is not JSON lines in UTF-8 (line 1 is not UTF-8); give a manifest"),
        (latin, "is not JSON lines in UTF-8 (line 3 is not UTF-8); give a manifest"),
        (folder, "can't be read (not a regular file)"),
        (folder / "none.jsonl", "can't be read (No such file or directory)"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"{bad}: {message}")):
            read_manifest(bad, halved, True, silent)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_LINES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    _JSON.map(json.dumps),
    st.fixed_dictionaries(
        {},
        optional={
            "audio_filepath": st.just("audio/a.wav") | st.just("audio/pipe.wav") | _JSON,
            "text": st.just("ab") | _JSON,
            "duration": st.just(0.1) | _JSON,
            "offset": _JSON,
            "speaker": _JSON,
        },
    ).map(json.dumps),
    st.tuples(st.sampled_from(["[", '{"a":', "9", "-", '"']), st.integers(0, 200_000)).map(lambda it: it[0] * it[1]),
)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(line=_LINES)
def test_any_line_is_used_or_named(folder: Path, line: str) -> None:
    path = manifest(folder, [line])
    try:
        assert fingerprint(path)
        assert read_manifest(path, halved, False, silent)
    except ValueError as error:
        assert f"{path}: " in str(error)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    kind=st.sampled_from(["wav", "flac", "float"]), at=st.integers(0, 63), into=st.binary(max_size=8), cut=st.integers()
)
def test_audio_with_any_header_is_read_or_named(folder: Path, kind: str, at: int, into: bytes, cut: int) -> None:
    path = folder / "audio" / f"any.{'flac' if kind == 'flac' else 'wav'}"
    soundfile.write(path, np.zeros(1630), 16000, subtype="FLOAT" if kind == "float" else "PCM_16")
    content = bytearray(path.read_bytes())
    content[at : at + len(into)] = into
    path.write_bytes(content[: cut % len(content)] if cut % 2 else content)
    lines = manifest(folder, [entry(f"audio/{path.name}", "a")])
    try:
        (found,) = read_manifest(lines, halved, False, silent)
        assert collate([found]).features.isfinite().all()
    except (ValueError, OSError) as error:
        assert path.name in str(error)
