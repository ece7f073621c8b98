"""Makes the corpus of synthetic speech from its settings, in a cache folder.

A process of its own (`speech`) makes each chunk, so that the number of workers changes no byte. A longer split begins
with the shorter one. `subprocess` starts the processes: those of `multiprocessing` import the main script with torch.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import filelock

from prune_rnn import files
from prune_rnn.data.base import SPLITS
from prune_rnn.data.synthetic.ranges import Ranges
from prune_rnn.data.synthetic.sentences import sentences
from prune_rnn.data.synthetic.settings import Synthetic
from prune_rnn.data.synthetic.speech import chunk_size
from prune_rnn.integrity import corpus as integrity
from prune_rnn.typed import Plain

_BYTES = 24_000  # of disk a second, at the default signal-to-noise ratios: FLAC, manifest, and the last block of a file
# one thread each; glibc keeps the memory of freed arrays, so that the system need not clear it for the next
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | {
    "MALLOC_TRIM_THRESHOLD_": "500000000",
    "MALLOC_MMAP_THRESHOLD_": "30000000",
}
_SECONDS = 3.6  # of an utterance on average: an estimate, only for the number of chunks in progress


def prepare(settings: Synthetic, folder: Path, report: Callable[[str], None]) -> dict[str, Path]:
    """Returns the manifest of each split; makes the corpus where it does not exist, and removes unfinished ones.

    A manifest has one JSON object a line: `audio_filepath` (relative to the manifest's folder; 16 kHz mono FLAC),
    `duration` (seconds), `text`, `speaker` (`accent+variant`). No variant and no sentence is in two splits.
    OSError for a cache folder without enough space, RuntimeError where a process that speaks fails.
    """
    cache = folder.parent
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
                _make(settings, folder, report)
        finally:
            lock.release()
    manifests = {split: folder / f"{split}.jsonl" for split in SPLITS}
    for manifest in manifests.values():
        if not manifest.is_file():
            raise OSError(f"{manifest} is gone from a corpus that was whole; delete {folder} to have it made again")
        integrity.check(manifest, folder)
    return manifests


def _make(settings: Synthetic, folder: Path, report: Callable[[str], None]) -> None:
    """Makes the corpus in another folder and renames it once it is complete. The caller holds the lock."""
    hours = sum(settings.hours(split) for split in SPLITS)
    for left in folder.parent.glob(f"{folder.name}.making-*"):
        report(f"synthetic: removing {left}, left by a process that was cut off")
        shutil.rmtree(left, ignore_errors=True)
    start = time.monotonic()
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
            _make_split(settings, split, making, report)
        integrity.write(making)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    took = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    report(f"synthetic: made {hours:g} hours of speech, {took / 1e6:.0f} MB, in {time.monotonic() - start:.0f} seconds")


def _make_split(settings: Synthetic, split: str, folder: Path, report: Callable[[str], None]) -> None:
    """Speaks chunks, several at a time, until the split is long enough; removes the surplus utterances."""
    hours, ranges = settings.hours(split), settings.ranges()
    enough, seconds, tenths = hours * 3600, 0.0, 0
    workers = settings.workers or _cores()
    lacks = folder / f"{split}.lacks"  # tells the processes when to stop
    texts, chunks, first = sentences(settings.seed, split), 0, 0
    begun: deque[tuple[int, Future[list[Plain]]]] = deque()  # with the number of utterances
    kept: list[Plain] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            while seconds < enough:
                fresh = lacks.with_suffix(".fresh")
                fresh.write_text(repr(enough - seconds + 1), encoding="ascii")  # one more for what two sums round
                fresh.replace(lacks)
                while len(begun) < 2 * workers and seconds + _SECONDS * sum(size for size, _ in begun) < enough:
                    size = chunk_size(chunks)
                    job = {"split": split, "first": first, "texts": list(islice(texts, size)), "lacks": str(lacks)}
                    begun.append((size, pool.submit(_run_chunk, ranges, folder, job)))
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


def _run_chunk(ranges: Ranges, folder: Path, job: Plain) -> list[Plain]:
    """Returns the manifest lines of a chunk that a fresh process speaks; OSError or RuntimeError where it fails."""
    lines = folder / f"{job['split']}-{job['first']:06d}.lines"
    command = "import json, sys; from prune_rnn.data.synthetic import speech; speech.speak_chunk(json.load(sys.stdin))"
    places = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", command],
        input=json.dumps(
            {**job, "ranges": asdict(ranges), "folder": str(folder), "lines": str(lines), "parent": os.getpid()}
        ),
        env={**os.environ, "PYTHONPATH": places, **_ENVIRONMENT},
        cwd=folder,  # Python looks for modules there first, and it holds none
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        spoken = [json.loads(line) for line in files.lines(lines.read_bytes()) if line]
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
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
