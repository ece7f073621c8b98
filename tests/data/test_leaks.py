"""What splits share is a warning with its numbers; what only looks alike is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prune_rnn.data.batch import Utterance
from prune_rnn.data.leaks import warnings
from prune_rnn.data.synthetic import espeak

TEXT = "she sells sea shells by the sea shore"


@pytest.fixture
def say(tmp_path: Path) -> Callable[..., Utterance]:
    """Writes a recording of a voice, in any format."""

    def speak(name: str, voice: int = 0, text: str = TEXT, rate: int = 16_000, **how: str) -> Utterance:
        sound = espeak.speak(text, "en", espeak.VARIANTS[voice], 140, 50)
        sound = np.pad(0.5 * sound / np.abs(sound).max(), 2000)[:: 16_000 // rate]
        soundfile.write(tmp_path / name, sound.astype("float32"), rate, **how)
        return Utterance(tmp_path / name, len(sound) * 100 // rate, text, f"voice {voice}")

    return speak


def test_recordings_that_were_encoded_anew_are_reported(say: Callable[..., Utterance]) -> None:
    train = [say("a.wav"), say("b.wav", text="another sentence")]
    again = [
        say("a.flac"),
        say("a.ogg", format="OGG", subtype="VORBIS"),
        say("a.mp3", format="MP3"),
        say("n.wav", rate=8000),
    ]
    alike = [
        text for text in warnings({"train": train, "dev": [*again, say("c.wav", text="what else")]}) if "sound" in text
    ]
    assert alike == [
        "data.train and data.dev: 4 of 4 recordings of data.dev that were listened to sound like one of data.train, "
        "with its transcript"
    ]


def test_another_voice_that_says_the_same_is_no_copy(say: Callable[..., Utterance]) -> None:
    other = [say(f"o{voice}.wav", voice) for voice in range(1, 6)]
    assert not list(warnings({"train": [say("a.wav")], "dev": other}))


def test_a_recording_of_silence_is_like_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(16_000), 16_000)
    one, other = (Utterance(tmp_path / f"{name}.wav", 100, TEXT) for name in ("a", "b"))
    assert not list(warnings({"train": [one], "dev": [other]}))


def test_speakers_in_two_splits_are_counted() -> None:
    def by(split: str, *speakers: str | None) -> list[Utterance]:
        return [Utterance(Path(f"{split}{n}.wav"), 9, f"{split} {n}", speaker) for n, speaker in enumerate(speakers)]

    splits = {"train": by("a", "x", "y", None), "dev": by("b", "x", "z", "z", None), "test": by("c", None, "z", "x")}
    assert list(warnings(splits)) == [
        "data.train and data.dev share 1 of the 2 speakers of data.dev",
        "data.train and data.test share 1 of the 2 speakers of data.test",
        "data.dev and data.test share 2 of the 2 speakers of data.test",
    ]


def test_lines_that_are_there_twice_are_counted() -> None:
    lines = [Utterance(Path(name), 9, name) for name in ("a", "b", "a", "a", "c", "c")]
    assert list(warnings({"train": lines, "dev": lines[1:2]})) == ["data.train: 3 of 6 lines repeat another one"]
