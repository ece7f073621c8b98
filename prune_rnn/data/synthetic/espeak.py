"""Speech from text by eSpeak NG, in this process, through the shared library of the `espeakng_loader` wheel.

The library has state between calls (prosody, random numbers of libc), so its samples depend a little on earlier
sentences. The same sentences in the same order in a fresh process give the same samples.
"""

import ctypes
from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz, of all that `speak` returns

ACCENTS = ("en", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp", "en-us", "en-us-nyc")
# Left out of espeak's list: those that whisper (caleb too, whose samples are half a constant), echo (Alicia, f2 to f5,
# m2, pablo), gabble, overrun 16 bits or play robots, and the second of two that are one speaker, with the same first
# formants (robert is rob, m8 is Nguyen).
# fmt: off
VARIANTS = (
    "Alex", "Andy", "Annie", "Denis", "Diogo", "Gene", "Jacky", "Lee", "Mario", "Mike", "Nguyen", "Reed", "Storm",
    "adam", "aunty", "belinda", "boris", "david", "ed", "edward", "f1", "grandma", "grandpa", "gustave", "ian",
    "john", "kaukovalta", "klatt3", "linda", "m1", "m3", "m4", "m5", "m6", "m7", "marcelo", "max", "norbert",
    "paul", "quincy", "rob", "shelby", "travis", "victor",
)
# fmt: on

_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8 = 2, 0x8000, 1  # speak_lib.h
_RATE, _VOLUME, _PITCH = 1, 2, 3
_LOUDNESS = 40  # at the usual 100, a dozen variants overrun 16 bits
_SEED = 1
_LONGEST_PATH = 150  # the library copies the path of its data into 160 bytes, file names included
_EASY: list[int] = sorted(2**i * 3**j * 5**k for i in range(32) for j in range(20) for k in range(14))  # all to 2 ** 31
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def speak(text: str, accent: str, variant: str, rate: int, pitch: int) -> NDArray[np.float32]:
    """Says the text in the voice `accent+variant`; espeak's own silence at both ends is cut off.

    Args:
        accent, variant: of ACCENTS and VARIANTS.
        rate: 80 to 450 words a minute.
        pitch: 0 to 100; 50 is the variant's own.

    Returns:
        (samples,) at 16 kHz, within -1 to 1.

    Raises:
        RuntimeError: espeak fails or stays silent.
    """
    speak_at, library_rate = _library()
    samples = speak_at(text, f"{accent}+{variant}", rate, pitch)
    loud = np.flatnonzero(np.abs(samples) > 0.002)
    if loud.size == 0:
        raise RuntimeError(f"espeak said nothing for {text!r} in the voice {accent}+{variant}")
    return resample(samples[loud[0] : loud[-1] + 1], library_rate, SAMPLE_RATE)


def check_voices(data: Path) -> None:
    """Raises ValueError that names the voices in use that espeak's data folder lacks."""
    spoken = {
        line.split()[1].lower()
        for file in (data / "lang" / "gmw").glob("en*")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("language ")
    }
    missing = [name for name in ACCENTS if name not in spoken]
    missing += [name for name in VARIANTS if not (data / "voices" / "!v" / name).is_file()]
    if missing:
        raise ValueError(
            f"espeak's data folder {data} lacks the voices {', '.join(missing)}; "
            "reinstall the espeakng-loader that pyproject.toml asks for"
        )


def resample(samples: NDArray[np.float32], old: int, new: int) -> NDArray[np.float32]:
    """(samples,) at `old` Hz -> (ceil(samples * new / old),) at `new` Hz, by cutting or padding the spectrum.

    It is exact below both Nyquist rates, for a signal that begins and ends in silence.
    """
    unit = old // int(np.gcd(old, new))  # a block of `unit` samples becomes a whole number of new ones
    blocks = easy_length(-(-len(samples) // unit) + 1)  # one of silence more, for what rings over the end
    length = blocks * unit * new // old
    spectrum = np.fft.rfft(samples.astype(np.float64), blocks * unit)[: length // 2 + 1] * (new / old)
    longer = np.fft.irfft(spectrum.astype(np.complex64), length)  # numpy's is four times as fast as in 64 bits
    return longer[: -(-len(samples) * new // old)].astype(np.float32, copy=False)


def easy_length(least: int) -> int:
    """Returns the smallest number from `least` on without a prime factor above 5, for a fast FFT.

    >>> [easy_length(least) for least in (1, 7, 11, 997, 1000, 1001)]
    [1, 8, 12, 1000, 1000, 1024]
    """
    return _EASY[bisect_left(_EASY, least)]


@cache
def _library() -> tuple[Callable[[str, str, int, int], NDArray[np.float32]], int]:
    """Loads espeak once a process; returns the function that speaks, and its sample rate in Hz."""
    data = Path(espeakng_loader.get_data_path())
    check_voices(data)
    if len(str(data)) > _LONGEST_PATH:
        raise RuntimeError(f"espeak takes paths of {_LONGEST_PATH} bytes at most, and its data lies deeper: {data}")
    library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    sample_rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _DO_NOT_EXIT))
    if sample_rate <= 0:
        raise RuntimeError(f"espeak did not start with its data folder {data}")
    pieces: list[bytes] = []

    def hear(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    listener = _CALLBACK(hear)
    library.espeak_SetSynthCallback(listener)

    def speak_at(text: str, voice: str, rate: int, pitch: int, _listener: Any = listener) -> NDArray[np.float32]:
        """The parameter `_listener` keeps Python from freeing the callback, which the library calls."""
        pieces.clear()
        spoken = text.encode()
        failures = (
            library.espeak_SetVoiceByName(voice.encode()),
            library.espeak_SetParameter(_RATE, rate, 0),
            library.espeak_SetParameter(_PITCH, pitch, 0),
            library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED)),  # else the clock seeds the noise of breath
            library.espeak_SetParameter(_VOLUME, _LOUDNESS, 0),
            library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken) + 1), 0, 0, 0, _UTF8, None, None),
        )
        if any(failures):
            raise RuntimeError(f"espeak failed on {text!r} in the voice {voice}: codes {failures}")
        return np.frombuffer(b"".join(pieces), np.int16).astype(np.float32) / np.float32(32768)

    return speak_at, sample_rate
