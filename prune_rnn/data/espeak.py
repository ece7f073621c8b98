"""Speech from text with eSpeak NG, called in this process through the shared library of the `espeakng_loader` wheel.

The library keeps state between calls (prosody, random numbers of libc), so that what it says depends a little on what
it said before: for the same samples again, say the same sentences in the same order in a fresh process.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz, of all that `speak` returns

ACCENTS = ("en", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp", "en-us", "en-us-nyc")
# Left out of espeak's list: whispers, robots and echoes, those that gabble or overrun 16 bits, and all but one of those
# that share their formants (their timbre), so that no two names here are one speaker.
# fmt: off
VARIANTS = (
    "Alex", "Alicia", "Andy", "Annie", "Denis", "Diogo", "Gene", "Jacky", "Lee", "Mario", "Mike", "Nguyen",
    "Reed", "Storm", "adam", "aunty", "belinda", "boris", "caleb", "david", "ed", "edward", "f1", "f2", "f3",
    "f4", "f5", "grandma", "grandpa", "gustave", "ian", "john", "kaukovalta", "klatt3", "linda", "m1", "m2",
    "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max", "norbert", "pablo", "paul", "quincy", "rob", "robert",
    "shelby", "travis", "victor",
)
# fmt: on

_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8 = 2, 0x8000, 1  # speak_lib.h
_RATE, _VOLUME, _PITCH = 1, 2, 3
_LOUDNESS = 40  # at the usual 100, a dozen variants overrun 16 bits
_SEED = 1
_LONGEST_PATH = 150  # the library copies the path of its data into 160 bytes, file names included
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def speak(text: str, accent: str, variant: str, rate: int, pitch: int) -> NDArray[np.float32]:
    """Says the text in the voice `accent+variant`, silence of espeak's own at both ends cut off.

    `rate` is in words a minute (80 to 450), `pitch` 0 to 100 with 50 the variant's own. Returns (samples,) at 16 kHz,
    within -1 to 1. Raises ValueError for an accent, variant, rate or pitch that is not to be had, RuntimeError where
    espeak fails or stays silent.
    """
    for name, value, allowed in (("accent", accent, ACCENTS), ("variant", variant, VARIANTS)):
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of espeak's voices in use: {', '.join(allowed)}")
    for name, number, low, high in (("rate", rate, 80, 450), ("pitch", pitch, 0, 100)):
        if not low <= number <= high:
            raise ValueError(f"{name}={number} lies outside of {low} to {high}")
    speak_at, library_rate = _library()
    samples = speak_at(text, f"{accent}+{variant}", rate, pitch)
    loud = np.flatnonzero(np.abs(samples) > 0.002)
    if loud.size == 0:
        raise RuntimeError(f"espeak said nothing for {text!r} in the voice {accent}+{variant}")
    return resample(samples[loud[0] : loud[-1] + 1], library_rate, SAMPLE_RATE)


def check_voices(data: Path) -> None:
    """Raises ValueError, naming them, if accents or variants in use are missing from espeak's data folder."""
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
    """Changes the sample rate by cutting (or padding) the spectrum, exact for all that lies below both Nyquist rates.

    (samples,) at `old` Hz becomes (ceil(samples * new / old),) at `new` Hz. The signal should begin and end in silence.
    """
    unit = old // int(np.gcd(old, new))  # a block of `unit` samples becomes a whole number of new ones
    blocks = -(-len(samples) // unit) + 1  # one of silence more, for what rings over the end
    spectrum = np.fft.rfft(samples.astype(np.float64), blocks * unit)
    longer = np.fft.irfft(spectrum, blocks * unit * new // old) * (new / old)
    return longer[: -(-len(samples) * new // old)].astype(np.float32)


@cache
def _library() -> tuple[Callable[[str, str, int, int], NDArray[np.float32]], int]:
    """Loads espeak once a process; gives the function that speaks and its sample rate in Hz."""
    data = Path(espeakng_loader.get_data_path())
    check_voices(data)
    if len(str(data)) > _LONGEST_PATH:
        raise RuntimeError(f"espeak takes paths of {_LONGEST_PATH} bytes at most, and its data lies deeper: {data}")
    library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    sample_rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _DO_NOT_EXIT))
    if sample_rate <= 0:
        raise RuntimeError(f"espeak did not start with its data folder {data}")
    pieces: list[NDArray[np.int16]] = []

    def hear(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).astype(np.int16))
        return 0

    listener = _CALLBACK(hear)
    library.espeak_SetSynthCallback(listener)

    def speak_at(text: str, voice: str, rate: int, pitch: int, _listener: Any = listener) -> NDArray[np.float32]:
        """`_listener` is held here because the library calls it, and Python would free it."""
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
        return np.concatenate([np.zeros(0, np.int16), *pieces]).astype(np.float32) / np.float32(32768)

    return speak_at, sample_rate
