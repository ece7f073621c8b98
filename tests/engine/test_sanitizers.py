"""The C++ libraries built with the compiler's sanitizers: no access out of bounds, no undefined behaviour, no race."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "prune_rnn"
TESTS = Path(__file__).parents[1]
# its driver; where it is built; how much the driver computes with one set of instructions
ENGINE = "engine/sanitized.cpp", "engine/cpp/libprune_rnn_engine.so", 3 * 3 * 3 * 3 * 2 * 2 * 3
CONVOLUTIONS = "model/sanitized.cpp", "model/native/libprune_rnn_native.so", 2 * (2 * 3 + 2 * 2 * 3 * 2 * 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sanitizers", "target", "about"),
    [
        ("address,undefined", "engine", ENGINE),
        ("thread", "engine", ENGINE),
        # the loops' threads are OpenMP's, whose beginning and end the thread sanitizer doesn't see
        ("address,undefined", "native", CONVOLUTIONS),
    ],
)
def test_nothing_is_found(sanitizers: str, target: str, about: tuple[str, str, int], tmp_path: Path) -> None:
    driver, library, least = about
    if not (shutil.which("cmake") and shutil.which("c++")):
        pytest.skip("cmake and a C++ compiler are needed")
    flags = f"-fsanitize={sanitizers} -fno-sanitize-recover=all -g"
    (tmp_path / "empty.cpp").write_text("int main() {}\n")
    if subprocess.run(
        ["c++", *flags.split(), "empty.cpp", "-o", "empty"], cwd=tmp_path, capture_output=True
    ).returncode:
        pytest.skip(f"this compiler has no -fsanitize={sanitizers}")
    for words in (
        ["cmake", "-S", str(SOURCES), "-B", "built", "-DOPTIMISATION=-O1", f"-DCMAKE_CXX_FLAGS={flags}"],
        ["cmake", "--build", "built", "--target", target],
        ["c++", *flags.split(), "-O1", "-std=c++17", str(TESTS / driver), f"built/{library}", "-o", "run"],
    ):
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([tmp_path / "run"], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    assert int(done.stdout) >= least
