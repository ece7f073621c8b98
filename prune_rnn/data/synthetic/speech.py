"""Utterances of the synthetic corpus, and chunks of them, each spoken by a process of its own.

The randomness of an utterance depends only on (seed, split, index). espeak has state between calls, so a fresh process
speaks each chunk, and a chunk's size depends only on its index. This module must import neither torch nor hydra nor
Faker: each of those processes imports it.
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
    """Returns espeak's variants by split: a tenth, rounded, for dev and for test, all others for train."""
    shuffled = sorted(espeak.VARIANTS)
    Random(f"variants {seed}").shuffle(shuffled)
    tenth = round(len(shuffled) / 10)
    parts = shuffled[2 * tenth :], shuffled[:tenth], shuffled[tenth : 2 * tenth]
    return dict(zip(SPLITS, map(tuple, parts), strict=True))


def mix(clean: NDArray[np.float32], noise: NDArray[np.float32], snr_db: float) -> NDArray[np.float32]:
    """Returns clean + noise; the noise is scaled to a mean power of exactly `snr_db` decibels below that of `clean`.

    Both are (samples,) of one length and not silent.
    """
    wanted = np.mean(clean**2, dtype=np.float64) / 10 ** (snr_db / 10)
    return clean + noise * float(np.sqrt(wanted / np.mean(noise**2, dtype=np.float64)))


def tilted_noise(samples: int, tilt: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Returns noise, (samples,), of power frequency ** -tilt above 50 Hz: white for 0, pink for 1, brown for 2."""
    length = espeak.easy_length(samples)
    frequency = np.fft.rfftfreq(length, 1 / espeak.SAMPLE_RATE)
    white = random.standard_normal(2 * len(frequency), dtype=np.float32).view(np.complex64)
    gain = (np.maximum(frequency, 50.0) ** (-tilt / 2)).astype(np.float32)
    return np.fft.irfft(white * gain, length)[:samples].astype(np.float32, copy=False)


def utterance(ranges: Ranges, split: str, index: int, text: str) -> tuple[NDArray[np.int16], str]:
    """Returns the samples (16 kHz) and the speaker, `accent+variant`, of one utterance of the corpus."""
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
    """Returns the number of utterances in a chunk: 32 twice, 64 twice, and so on up to 512 for all the others.

    The first chunks are small, so that a short split has work for several processes. The others are large, as the start
    of a process takes as long as some 20 utterances.
    """
    return 32 << min(index // 2, 4)


def speak_chunk(job: Plain) -> None:
    """Speaks one chunk in this process: writes its FLAC files, then the manifest lines to `job["lines"]`.

    It stops once the chunk alone lasts the seconds in the file `job["lacks"]`, or that file is gone. It ends without
    lines if the parent process is gone.
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
    """Returns the seconds that a split still lacks; 0 where the file is gone."""
    try:
        return float(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0
