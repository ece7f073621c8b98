"""One utterance of the synthetic corpus, and one chunk of them, as a process of its own speaks it.

Every utterance's randomness comes from (seed, split, index) alone. espeak keeps state between calls, so the utterances
are spoken in chunks of sizes that depend on nothing but their index, each by a fresh process. This module must import
neither torch nor hydra nor Faker: each of those processes imports it.
"""

import io
import json
import os
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from numpy.typing import NDArray

from prune_rnn.data.base import SPLITS
from prune_rnn.data.synthetic import espeak
from prune_rnn.data.synthetic.ranges import Ranges
from prune_rnn.typed import Plain


def variants(seed: int) -> dict[str, tuple[str, ...]]:
    """Shares espeak's variants out among the splits: a tenth, rounded, for dev and for test, all others for train."""
    shuffled = sorted(espeak.VARIANTS)
    Random(f"variants {seed}").shuffle(shuffled)
    tenth = round(len(shuffled) / 10)
    parts = shuffled[2 * tenth :], shuffled[:tenth], shuffled[tenth : 2 * tenth]
    return dict(zip(SPLITS, map(tuple, parts), strict=True))


def mix(clean: NDArray[np.float32], noise: NDArray[np.float32], snr_db: float) -> NDArray[np.float32]:
    """Adds the noise, scaled to a mean power of exactly `snr_db` decibels below that of `clean`, each over its length.

    Both are (samples,) of one length and not silent.
    """
    wanted = np.mean(clean**2, dtype=np.float64) / 10 ** (snr_db / 10)
    return clean + noise * float(np.sqrt(wanted / np.mean(noise**2, dtype=np.float64)))


def tilted_noise(samples: int, tilt: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Noise (samples,) with a power of frequency ** -tilt above 50 Hz: white for 0, pink for 1, brown for 2.

    Its spectrum is drawn, at a length that is easy to transform, and what is too long cut off.
    """
    length = espeak.easy_length(samples)
    frequency = np.fft.rfftfreq(length, 1 / espeak.SAMPLE_RATE)
    white = random.standard_normal(2 * len(frequency), dtype=np.float32).view(np.complex64)
    gain = (np.maximum(frequency, 50.0) ** (-tilt / 2)).astype(np.float32)
    return np.fft.irfft(white * gain, length)[:samples].astype(np.float32, copy=False)


def utterance(ranges: Ranges, split: str, index: int, text: str) -> tuple[NDArray[np.int16], str]:
    """The samples (16 kHz) and the speaker, as `accent+variant`, of one utterance of the corpus."""
    random = np.random.default_rng([ranges.seed, SPLITS.index(split), index])
    accent, variant = str(random.choice(espeak.ACCENTS)), str(random.choice(variants(ranges.seed)[split]))
    rate = int(random.integers(ranges.rate_low, ranges.rate_high + 1))
    pitch = int(random.integers(ranges.pitch_low, ranges.pitch_high + 1))
    lead, trail = random.integers(espeak.SAMPLE_RATE // 20, espeak.SAMPLE_RATE // 4, size=2)  # 50 to 250 ms
    clean = np.pad(espeak.speak(text, accent, variant, rate, pitch), (int(lead), int(trail)))
    noise = tilted_noise(len(clean), random.uniform(0, 2), random)
    mixed = mix(clean, noise, random.uniform(ranges.snr_low, ranges.snr_high))
    peak = random.uniform(0.2, 0.95)
    return np.round(mixed * (peak / np.max(np.abs(mixed))) * 32767).astype(np.int16), f"{accent}+{variant}"


def chunk_size(index: int) -> int:
    """The number of utterances that one process speaks: 32 twice, 64 twice, and so on up to 512 for all the others.

    Small ones first, so that a short split has work for more than one process; large ones then, as a process takes as
    long to start as to speak some 20 utterances.
    """
    return 32 << min(index // 2, 4)


def speak_chunk(job: Plain) -> None:
    """Speaks one chunk in this process: writes its FLAC files, and last of all the manifest lines to `job["lines"]`.

    It stops early once the chunk alone lasts the seconds that the file `job["lacks"]` then names, or the file is gone.
    It ends without lines if the process that asked for it is gone.
    """
    ranges, folder = Ranges(**job["ranges"]), Path(job["folder"])
    lines, seconds = [], 0.0
    for index, text in enumerate(job["texts"], start=job["first"]):
        if os.getppid() != job["parent"]:
            return
        if seconds >= _lacking(Path(job["lacks"])):
            break
        samples, speaker = utterance(ranges, job["split"], index, text)
        name = f"{job['split']}/{index:06d}.flac"
        flac = io.BytesIO()
        soundfile.write(flac, samples, espeak.SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        (folder / name).write_bytes(flac.getvalue())  # not by libsndfile, whose errors do not say that the disk is full
        duration = len(samples) / espeak.SAMPLE_RATE
        lines.append({"audio_filepath": name, "duration": duration, "text": text, "speaker": speaker})
        seconds += duration
    Path(job["lines"]).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _lacking(file: Path) -> float:
    """The seconds that a split still lacks, 0 where there is no such file any more."""
    try:
        return float(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0
