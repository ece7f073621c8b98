"""Standard input is transcribed as it arrives, and anything but 16-bit WAV at 16 kHz is one clear error."""

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from prune_rnn.deploy.file import to_bytes
from prune_rnn.deploy.live import pieces
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.usage import UsageError


def wav(samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, subtype, format="WAV")
    return content.getvalue()


@pytest.mark.parametrize("samples", [320, 321, 1000])
def test_the_samples_are_those_of_the_file_in_pieces_of_20_ms(samples: int) -> None:
    sound = np.random.default_rng(0).integers(-32768, 32768, samples).astype(np.int16)
    found = list(pieces(io.BytesIO(wav(sound))))
    assert [len(piece) for piece in found] == [320] * (samples // 320) + [samples % 320] * (samples % 320 > 0)
    assert np.concatenate([piece.numpy() for piece in found]).tolist() == (sound / 32768).tolist()


def test_a_recorder_does_not_know_the_length_and_writes_other_chunks() -> None:
    """Recorders state the greatest length; a list of an odd length is padded; the sound ends when the input ends."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    head = b"RIFF\xff\xff\xff\xffWAVE" + form + b"LIST\x03\x00\x00\x00abc\x00" + b"data\xff\xff\xff\xff"
    sound = struct.pack("<hh", 16384, -32768) * 160
    (piece,) = pieces(io.BytesIO(head + sound + b"\x01"))  # cut off within a sample
    assert piece.tolist() == [0.5, -1] * 160


@pytest.mark.parametrize("samples", [0, 1, 319])
def test_less_than_a_window_is_an_error_at_the_end(samples: int) -> None:
    found = pieces(io.BytesIO(wav(np.zeros(samples))))
    with pytest.raises(UsageError, match=f"-: standard input ended after {samples} samples, less than one window"):
        list(found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "-: standard input is no WAV file; record so: `arecord -f S16_LE"),
        (b"ID3" + bytes(100), "-: standard input is no WAV file"),
        (wav(np.zeros(10))[:40], "-: standard input ends within the header of its WAV file"),
        (
            wav(np.zeros(10), 44_100),
            "-: standard input has 1 channel of 16 bits at 44100 Hz, not one",
        ),
        (wav(np.zeros((10, 2))), "-: standard input has 2 channels of 16 bits at 16000 Hz, not one"),
        (wav(np.zeros(10), subtype="FLOAT"), "-: standard input has 1 channel of 32 bits"),
    ],
)
def test_other_sound_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(pieces(io.BytesIO(content)))


def test_standard_input_has_the_text_of_the_file(
    network: Callable, command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, kept = network("gru_sparse")
    packed = pack(model.state_dict(), kept, Dtype.float32, torch.zeros(161), torch.ones(161))
    (tmp_path / "a.safetensors").write_bytes(to_bytes(packed))
    sound = wav(0.1 * np.random.default_rng(0).standard_normal(32_000))
    (tmp_path / "a.wav").write_bytes(sound)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(sound)))
    live = command("transcribe", "--stream", "a.safetensors", "-", check=True)
    assert live.stdout == command("transcribe", "--stream", "a.safetensors", "a.wav", check=True).stdout != "\n"
    for words in (["-"], ["--stream", "-", "a.wav"], ["--stream", "-", "--jobs", "2"]):
        done = command("transcribe", "a.safetensors", *words)
        assert done.returncode == 2 and "-: standard input is taken alone, with --stream and one job" in done.stderr


def test_an_interrupt_ends_the_sound() -> None:
    """Ctrl-C stops the recorder and the transcription at once; the last words are still to come."""

    class Interrupted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size == 640 and self.tell() > 44:
                raise KeyboardInterrupt
            return super().read(size)

    assert [len(piece) for piece in pieces(Interrupted(wav(np.zeros(1000))))] == [320]
