"""The engine built with the compiler's sanitizers: no access out of bounds, no undefined behaviour, no race."""

import shutil
import subprocess
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "prune_rnn"
DRIVER = Path(__file__).with_name("sanitized.cpp")


@pytest.mark.slow
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_nothing_is_found(sanitizers: str, tmp_path: Path) -> None:
    if not (shutil.which("cmake") and shutil.which("c++")):
        pytest.skip("cmake and a C++ compiler are needed")
    flags = f"-fsanitize={sanitizers} -fno-sanitize-recover=all -g"
    (tmp_path / "empty.cpp").write_text("int main() {}\n")
    if subprocess.run(
        ["c++", *flags.split(), "empty.cpp", "-o", "empty"], cwd=tmp_path, capture_output=True
    ).returncode:
        pytest.skip(f"this compiler has no -fsanitize={sanitizers}")
    for words in (
        ["cmake", "-S", str(ENGINE), "-B", "built", "-DOPTIMISATION=-O1", f"-DCMAKE_CXX_FLAGS={flags}"],
        ["cmake", "--build", "built", "--target", "engine"],
        [
            "c++",
            *flags.split(),
            "-O1",
            "-std=c++17",
            str(DRIVER),
            "built/engine/cpp/libprune_rnn_engine.so",
            "-o",
            "run",
        ],
    ):
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([tmp_path / "run"], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    assert int(done.stdout) >= 3 * 3 * 3 * 3 * 2 * 2 * 3  # one set of instructions, its three formats
