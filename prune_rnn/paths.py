"""The name of every file that a run or a report leaves behind, and where the configuration lies."""

from __future__ import annotations

from pathlib import Path

CONFIG = "config.yaml"  # what determines the result
HISTORY = "history.csv"  # one row per epoch
RESULT = "result.json"  # there once the run is finished
CHECKPOINT = "checkpoint.pt"  # where to resume; gone once the run is finished
BEFORE = "checkpoint-before.pt"  # the checkpoint before that, for when that is damaged
CHECKSUMS = "checksums.json"  # the sha256 of a finished run's text files
HYPOTHESES = "hypotheses.jsonl"  # what the finished network recognised in each test utterance
MODEL = "model.pt"  # the weights of the best epoch, once the run is finished
PAGE = "report.html"  # of the last report
LOCK = "lock"  # held by the process that trains


def runs(results: Path) -> Path:
    """Returns the folder of all runs."""
    return results / "runs"


def tables(results: Path) -> Path:
    """Returns the folder of all tables."""
    return results / "tables"


def table5(results: Path) -> Path:
    """Returns the folder of all records of `prune-rnn bench`, a folder each."""
    return tables(results) / "table5"


def figures(results: Path) -> Path:
    """Returns the folder of all figures."""
    return results / "figures"


def sweeps(results: Path) -> Path:
    """Returns the folder of Hydra's own logs of sweeps, which are named by the clock."""
    return results / "sweeps"


def conf() -> Path:
    """Returns the folder of the YAML files: the copy in the installed package, else the checkout's."""
    package = Path(__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise FileNotFoundError(f"neither {package / 'conf'} nor {package.parent / 'conf'} holds config.yaml: reinstall")


def options(group: str) -> list[str]:
    """Returns the options of a configuration group, sorted: the names of its YAML files, less the shared bases."""
    return sorted(file.stem for file in (conf() / group).glob("*.yaml") if not file.stem.startswith("_"))


def groups() -> list[str]:
    """Returns the groups that have an option to choose, sorted."""
    return [folder.name for folder in sorted(conf().iterdir()) if folder.is_dir() and folder.name != "table"]


def packed(folder: Path) -> list[Path]:
    """Returns the packed files of a folder, float32 first."""
    return sorted(folder.glob("*.safetensors"), key=lambda file: ("float32" not in file.name, file.name))


def has_weights(folder: Path) -> bool:
    """Whether a run's folder holds its trained weights, or a packed file of them."""
    return (folder / MODEL).exists() or bool(packed(folder))
