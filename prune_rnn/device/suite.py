"""Stage 1: the tests of what runs on a CUDA device, subject by subject. A dry run has them in Triton's interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from prune_rnn.device.stage import FAILED
from prune_rnn.typed import Plain

TESTS = Path(__file__).resolve().parents[2] / "tests"
# subject -> (files, which of their tests on a device, which in a dry run); in order of worth
SUBJECTS = {
    "training: loss, gradients, masks, resume": (["device/test_training.py"], "cuda", "cpu"),
    "training's time loops": (["model/test_cuda.py"], "agree and not interpreter", "interpreted"),
    "engine's contract: products, layers, both ways": (
        ["engine/test_contract.py"],
        "cuda and (float32 or int8)",
        "interpreted and products",
    ),
    "engine's kernels": (["engine/test_cuda.py"], "on_a_device and (float32 or fastest) or baseline", "interpreted"),
    "opponents of bench": (["bench/opponents/test_base.py"], "Cuda", "Cuda"),
}


def rows(dry: bool, folder: Path) -> Iterator[Plain]:
    """Yields a row a subject; each test's own line is in the log."""
    if not TESTS.is_dir():
        raise ValueError(f"{TESTS} is not there: run the script from a checkout, not from an installed wheel")
    for subject, (files, on_device, interpreted) in SUBJECTS.items():
        start = time.monotonic()
        paths = [os.fspath(TESTS / file) for file in files]
        options = ["-v", "-rf", "-m", "not slow", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "-k", interpreted if dry else on_device, *paths],
            cwd=TESTS.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(done.stdout, flush=True)
        failures = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        last = (done.stdout.strip().splitlines() or ["pytest said nothing"])[-1].strip("= ")
        wrong = "; ".join(failures) or (f"exit status {done.returncode}" if done.returncode else None)
        yield {"tests": subject, "result": last, FAILED: wrong, "seconds": round(time.monotonic() - start, 1)}
