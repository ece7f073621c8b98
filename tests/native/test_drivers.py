"""The C++ library against plain loops in double precision: built with sanitizers, and for Arm under an emulator."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "prune_rnn"
HERE = Path(__file__).parent
LIBRARY = "built/native/lib/libprune_rnn.so"
# how much a driver computes with each set of instructions, at least: two formats of three kinds in the first
LEAST = {"sparse": 3 * (2 * 3) * (3 * 3 * 2 * 3), "conv": 2 * (2 * 3 + 2 * 2 * 2 * 2 + 2 * 2 * 3 * 2 * 2)}
ARM = "aarch64-linux-gnu-g++"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("cmake") and shutil.which("c++")), reason="cmake and a C++ compiler are needed"
    ),
]


def run(command: list[str], folder: Path) -> str:
    """Returns what the command prints; it must say nothing to stderr."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return done.stdout


def build(folder: Path, *options: str) -> None:
    for command in (["cmake", "-S", str(SOURCES), "-B", "built", *options], ["cmake", "--build", "built"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("sanitizers", "driver"),
    [
        ("address,undefined", "sparse"),
        ("thread", "sparse"),
        # the loops' threads are OpenMP's, whose beginning and end the thread sanitizer doesn't see
        ("address,undefined", "conv"),
    ],
)
def test_a_sanitizer_finds_nothing(sanitizers: str, driver: str, tmp_path: Path) -> None:
    """No access out of bounds, no undefined behaviour, no race."""
    flags = f"-fsanitize={sanitizers} -fno-sanitize-recover=all -g"
    (tmp_path / "empty.cpp").write_text("int main() {}\n")
    tried = ["c++", *flags.split(), "empty.cpp", "-o", "empty"]
    if subprocess.run(tried, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip(f"this compiler has no -fsanitize={sanitizers}")
    build(tmp_path, "-DOPTIMISATION=-O1", f"-DCMAKE_CXX_FLAGS={flags}")
    run(["c++", *flags.split(), "-O1", "-std=c++17", f"{HERE / driver}.cpp", LIBRARY, "-o", "driver"], tmp_path)
    assert int(run(["./driver"], tmp_path)) >= LEAST[driver]


def test_the_address_sanitizer_finds_nothing_in_the_loops_of_training(tmp_path: Path) -> None:
    """Their own tests, in a copy of the package whose library has the sanitizer."""
    names = ("libasan.so", "libstdc++.so.6")  # the latter before torch, whose exceptions the sanitizer hands on
    asked = [["c++", f"-print-file-name={name}"] for name in names]
    found = [subprocess.run(each, capture_output=True, text=True).stdout.strip() for each in asked]
    if not all(Path(each).is_file() for each in found):
        pytest.skip("this compiler has no libasan.so")
    build(tmp_path, "-DOPTIMISATION=-O1", "-DCMAKE_CXX_FLAGS=-fsanitize=address -g")
    ignored = shutil.ignore_patterns("__pycache__", "lib")
    for part in ("prune_rnn", "conf", "tests"):
        shutil.copytree(SOURCES.parent / part, tmp_path / part, ignore=ignored)
    (tmp_path / "prune_rnn/native/lib").mkdir()
    shutil.copy(tmp_path / LIBRARY, tmp_path / "prune_rnn/native/lib")
    own = {"PYTHONPATH": str(tmp_path), "LD_PRELOAD": " ".join(found), "ASAN_OPTIONS": "detect_leaks=0"}
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/model/test_loops.py"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **own}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(
    not (shutil.which(ARM) and shutil.which("qemu-aarch64")), reason=f"{ARM} and qemu-aarch64 are needed"
)
def test_arm_computes_the_same(tmp_path: Path) -> None:
    """On a processor that has dot products of bytes, and on one that has none."""
    build(tmp_path, "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", f"-DCMAKE_CXX_COMPILER={ARM}")
    for driver in LEAST:
        run([ARM, "-O1", "-std=c++17", f"{HERE / driver}.cpp", LIBRARY, "-o", driver, "-Wl,-rpath,$ORIGIN"], tmp_path)
        computed = {
            cpu: int(run(["qemu-aarch64", "-cpu", cpu, "-L", "/usr/aarch64-linux-gnu", driver], tmp_path))
            for cpu in ("cortex-a57", "max")
        }
        assert computed["cortex-a57"] >= LEAST[driver]
        assert computed["max"] > computed["cortex-a57"]  # one set more
