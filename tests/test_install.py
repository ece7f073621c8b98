"""What users install works away from the checkout."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_carries_its_configuration(tmp_path: Path) -> None:
    """The wheel, installed in a fresh environment, trains at scale=smoke from an empty folder."""
    wheels = tmp_path / "wheels"
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(wheels), str(ROOT)], check=True)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", *map(str, wheels.glob("*.whl"))], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    tool = str(tmp_path / "venv" / "bin" / "prune-rnn")
    done = subprocess.run(
        [tool, "train", "model=gru_sparse", "scale=smoke"],
        cwd=elsewhere, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "test CER" in done.stdout
    assert [file.name for file in elsewhere.iterdir()] == ["results"]
    (run,) = (elsewhere / "results" / "runs").iterdir()
    done = subprocess.run(
        [tool, "export", str(run)], cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
    )
    assert "the same text as by the checkpoint" in done.stdout


@pytest.mark.slow
def test_without_a_compiler_the_wheel_is_pure(tmp_path: Path) -> None:
    """It installs all the same; `engine.choose.describe_backend` names the backend that is then used."""
    source = tmp_path / "source"
    for part in ("prune_rnn", "conf"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(tmp_path), str(source)]
    subprocess.run(command, env={**os.environ, "CXX": "/bin/false", "CC": "/bin/false"}, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name.endswith("-py3-none-any.whl") and not any(name.endswith(".so") for name in names)
    assert {"prune_rnn/conf/config.yaml", "prune_rnn/engine/compiled.py"} <= set(names)


@pytest.mark.slow
def test_two_processes_train_together(tiny: list[str], tmp_path: Path) -> None:
    """Under torchrun: both finish, one of them writes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    code = tmp_path / "main.py"
    code.write_text("from prune_rnn.cli import main\nmain()\n")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    subprocess.run(
        [*command, str(code), "train", "model=gru_sparse", "prune.sparsity=0.4", *tiny], env=environment, check=True
    )
    (result,) = (tmp_path / "results" / "runs").glob("*/result.json")
    assert '"processes": 2' in result.read_text()
