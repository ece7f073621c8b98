"""A corpus of synthetic speech, made on this machine from nothing but its settings, and kept in a cache folder.

Every utterance's randomness comes from (seed, split, index) alone. espeak keeps state between calls, so the utterances
are spoken in chunks of sizes that depend on nothing but their index, each by a fresh process: the corpus is the same to
the byte whatever the number of workers. A longer split begins with the shorter one. This module must import neither
torch nor hydra nor Faker: each of those processes imports it. It starts them itself because those of `multiprocessing`
import the main script, torch and all.
"""

import hashlib
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import filelock
import numpy as np
import soundfile
from numpy.typing import NDArray

from prune_rnn.data.synthetic import espeak
from prune_rnn.data.synthetic.frames import SPLITS
from prune_rnn.data.synthetic.sentences import sentences

GENERATOR = 2  # raise it with any change to what these modules make that changes a byte of the corpus
_BYTES = 24_000  # of disk a second, at the default signal-to-noise ratios: FLAC, manifest, and the last block of a file
# one thread each; glibc keeps the memory of freed arrays, which else is given back and has to be cleared for the next
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | {
    "MALLOC_TRIM_THRESHOLD_": "500000000",
    "MALLOC_MMAP_THRESHOLD_": "30000000",
}
_SECONDS = 3.6  # of an utterance on average: a guess that decides how many chunks are begun at once, and nothing else
_RATES, _PITCHES = (80, 450), (0, 100)  # what espeak takes


@dataclass(kw_only=True, slots=True)
class SyntheticConfig:
    """Settings of the corpus: all but `workers` and `cache` change its bytes."""

    name: str = "synthetic"
    train_hours: float
    dev_hours: float
    test_hours: float
    seed: int = 0  # of the corpus, not of the training
    snr_low: float = 5.0  # dB, speech over noise
    snr_high: float = 25.0
    rate_low: int = 115  # words a minute as espeak counts them: about 12 characters a second
    rate_high: int = 160  # about 18 characters a second
    pitch_low: int = 30  # 50: the variant's own
    pitch_high: int = 70
    workers: int | None = field(default=None, metadata={"identity": False})  # processes at a time; None: one a core
    # the folder of all corpora; None: $XDG_CACHE_HOME/prune-rnn, or ~/.cache/prune-rnn
    cache: str | None = field(default=None, metadata={"identity": False})

    def check(self) -> None:
        """Raises ValueError, with the key, its value and the way out, unless a corpus can be made from the settings."""
        for split in SPLITS:
            hours = getattr(self, f"{split}_hours")
            if not 0 < hours < math.inf:
                raise ValueError(f"data.{split}_hours={hours} is not a length of time; give hours above 0, such as 0.1")
        for name, allowed in (("snr", (-math.inf, math.inf)), ("rate", _RATES), ("pitch", _PITCHES)):
            low, high = getattr(self, f"{name}_low"), getattr(self, f"{name}_high")
            if not low <= high:
                raise ValueError(
                    f"data.{name}_low={low} lies above data.{name}_high={high}; swap them or make them equal"
                )
            if low < allowed[0] or high > allowed[1] or math.isinf(low) or math.isinf(high):
                limits = f"within {allowed[0]} to {allowed[1]}" if math.isfinite(allowed[0]) else "finite"
                raise ValueError(f"data.{name}_low={low} and data.{name}_high={high} must be {limits}")
        if self.seed < 0:
            raise ValueError(f"data.seed={self.seed} is negative; give 0 or more")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"data.workers={self.workers} is less than one process; leave it out to use every core")


def prepare(config: SyntheticConfig, report: Callable[[str], None] = print) -> dict[str, Path]:
    """The manifest of each of train, dev and test, of a corpus that is whole; made first where it does not exist.

    A manifest has one JSON object a line: `audio_filepath` (relative to the manifest's folder; 16 kHz mono FLAC),
    `duration` (seconds), `text`, `speaker` (`accent+variant`). No variant and no sentence is in two splits. Raises
    ValueError for bad settings, OSError for a cache folder that cannot hold the corpus, RuntimeError where a process
    that speaks fails. What is left of a corpus whose making was cut off is removed.
    """
    config.check()
    cache = cache_folder(config)
    folder = cache / f"synthetic-{digest(config)}"
    if not folder.is_dir():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(cache / f"{folder.name}.lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                report(f"synthetic: waiting for the process that is making {folder}")
                lock.acquire()
        except OSError as error:
            raise OSError(f"data.cache={cache} cannot be written ({error}); name a folder that can") from error
        try:
            if not folder.is_dir():
                _make(config, folder, report)
        finally:
            lock.release()
    manifests = {split: folder / f"{split}.jsonl" for split in SPLITS}
    for manifest in manifests.values():
        if not manifest.is_file():
            raise OSError(f"{manifest} is gone from a corpus that was whole; delete {folder} to have it made again")
    return manifests


def digest(config: SyntheticConfig) -> str:
    """Sixteen hex digits that stand for all that the corpus's bytes depend on."""
    settings: dict[str, Any] = {key: version(key) for key in ("espeakng-loader", "Faker", "num2words")}
    settings["generator"] = GENERATOR
    for key in fields(config):
        if key.metadata.get("identity", True) and key.name != "name":
            settings[key.name] = (float if key.type is float else int)(
                getattr(config, key.name)
            )  # an hour is an hour, be it written 1 or 1.0
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def cache_folder(config: SyntheticConfig) -> Path:
    """The absolute path of the folder that holds all corpora."""
    if config.cache is not None:
        return Path(config.cache).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache").absolute() / "prune-rnn"


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


def utterance(config: SyntheticConfig, split: str, index: int, text: str) -> tuple[NDArray[np.int16], str]:
    """The samples (16 kHz) and the speaker, as `accent+variant`, of one utterance of the corpus."""
    random = np.random.default_rng([config.seed, SPLITS.index(split), index])
    accent, variant = str(random.choice(espeak.ACCENTS)), str(random.choice(variants(config.seed)[split]))
    rate = int(random.integers(config.rate_low, config.rate_high + 1))
    pitch = int(random.integers(config.pitch_low, config.pitch_high + 1))
    lead, trail = random.integers(espeak.SAMPLE_RATE // 20, espeak.SAMPLE_RATE // 4, size=2)  # 50 to 250 ms
    clean = np.pad(espeak.speak(text, accent, variant, rate, pitch), (int(lead), int(trail)))
    noise = tilted_noise(len(clean), random.uniform(0, 2), random)
    mixed = mix(clean, noise, random.uniform(config.snr_low, config.snr_high))
    peak = random.uniform(0.2, 0.95)
    return np.round(mixed * (peak / np.max(np.abs(mixed))) * 32767).astype(np.int16), f"{accent}+{variant}"


def chunk_size(index: int) -> int:
    """The number of utterances that one process speaks: 32 twice, 64 twice, and so on up to 512 for all the others.

    Small ones first, so that a short split has work for more than one process; large ones then, as a process takes as
    long to start as to speak some 20 utterances.
    """
    return 32 << min(index // 2, 4)


def speak_chunk(job: dict[str, Any]) -> None:
    """Speaks one chunk in this process: writes its FLAC files, and last of all the manifest lines to `job["lines"]`.

    It stops early once the chunk alone lasts the seconds that the file `job["lacks"]` then names, or the file is gone.
    It ends without lines if the process that asked for it is gone.
    """
    config, folder = SyntheticConfig(**job["config"]), Path(job["folder"])
    lines, seconds = [], 0.0
    for index, text in enumerate(job["texts"], start=job["first"]):
        if os.getppid() != job["parent"]:
            return
        if seconds >= _lacking(Path(job["lacks"])):
            break
        samples, speaker = utterance(config, job["split"], index, text)
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


def _make(config: SyntheticConfig, folder: Path, report: Callable[[str], None]) -> None:
    """Makes the corpus beside `folder` and gives it that name when it is whole. The caller holds the lock."""
    for left in folder.parent.glob(f"{folder.name}.making-*"):
        report(f"synthetic: removing {left}, left by a process that was cut off")
        shutil.rmtree(left, ignore_errors=True)
    start = time.monotonic()
    hours = sum(getattr(config, f"{split}_hours") for split in SPLITS)
    need, free = hours * 3600 * _BYTES, shutil.disk_usage(folder.parent).free
    if need > free:
        raise OSError(
            f"data.cache={folder.parent} has {free / 1e6:.0f} MB free and {hours:g} hours of speech take "
            f"about {need / 1e6:.0f} MB; free some, name another folder, or ask for fewer hours"
        )
    report(f"synthetic: making {hours:g} hours of speech in {folder}, about {need / 1e6:.0f} MB")
    making = folder.with_name(f"{folder.name}.making-{os.getpid()}")
    try:
        for split in SPLITS:
            (making / split).mkdir(parents=True)
            _make_split(config, split, making, report)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    took = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    report(f"synthetic: made {hours:g} hours of speech, {took / 1e6:.0f} MB, in {time.monotonic() - start:.0f} seconds")


def _make_split(config: SyntheticConfig, split: str, folder: Path, report: Callable[[str], None]) -> None:
    """Speaks chunk after chunk, some at a time, until they last as long as asked, and cuts what lies past that."""
    hours = getattr(config, f"{split}_hours")
    enough, seconds, tenths = hours * 3600, 0.0, 0
    workers = config.workers or _cores()
    lacks = folder / f"{split}.lacks"  # read by the processes that speak, so that none speaks for long in vain
    texts, chunks, first = sentences(config.seed, split), 0, 0
    begun: deque[tuple[int, Future[list[dict[str, Any]]]]] = deque()  # with the number of utterances
    kept: list[dict[str, Any]] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            while seconds < enough:
                fresh = lacks.with_suffix(".fresh")
                fresh.write_text(repr(enough - seconds + 1), encoding="ascii")  # one more for what two sums round
                fresh.replace(lacks)
                while len(begun) < 2 * workers and seconds + _SECONDS * sum(size for size, _ in begun) < enough:
                    size = chunk_size(chunks)
                    job = {"split": split, "first": first, "texts": list(islice(texts, size)), "lacks": str(lacks)}
                    begun.append((size, pool.submit(_run_chunk, config, folder, job)))
                    chunks, first = chunks + 1, first + size
                for line in begun.popleft()[1].result():
                    if seconds >= enough:
                        (folder / line["audio_filepath"]).unlink()
                        continue
                    kept.append(line)
                    seconds += line["duration"]
                if int(10 * seconds / enough) > tenths:
                    tenths = int(10 * seconds / enough)
                    report(f"synthetic: {split}, {seconds / 3600:.2f} of {hours:g} hours")
            lacks.unlink()
            for _, surplus in begun:
                for line in [] if surplus.cancel() else surplus.result():
                    (folder / line["audio_filepath"]).unlink()
        finally:
            lacks.unlink(missing_ok=True)
            pool.shutdown(wait=True, cancel_futures=True)
    text = "".join(json.dumps(line) + "\n" for line in kept)
    (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")


def _run_chunk(config: SyntheticConfig, folder: Path, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Has a fresh process speak the chunk; gives its manifest lines. Raises OSError or RuntimeError where it failed."""
    lines = folder / f"{job['split']}-{job['first']:06d}.lines"
    settings = {key.name: getattr(config, key.name) for key in fields(config)}
    command = (
        "import json, sys; from prune_rnn.data.synthetic.corpus import speak_chunk; speak_chunk(json.load(sys.stdin))"
    )
    places = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", command],
        input=json.dumps(
            {**job, "config": settings, "folder": str(folder), "lines": str(lines), "parent": os.getpid()}
        ),
        env={**os.environ, "PYTHONPATH": places, **_ENVIRONMENT},
        cwd=folder,  # Python looks for modules there first, and it holds none
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        spoken = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
        lines.unlink()
        return spoken
    what = f"speaking utterances {job['first']} to {job['first'] + len(job['texts']) - 1} of {job['split']}"
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise RuntimeError(f"the process {what} was ended by {name}; run again, with data.workers=1 if memory is short")
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    if reason.startswith(("OSError", "PermissionError", "FileNotFoundError")):
        raise OSError(
            f"{what} into data.cache={folder.parent} failed: {reason}; free some space or name another folder"
        )
    raise RuntimeError(f"the process {what} failed: {reason}")


def _cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
