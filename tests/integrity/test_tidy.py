"""What a killed process left goes, with a word; what is in use stays."""

from pathlib import Path

from prune_rnn import paths
from prune_rnn.integrity.tidy import tidy
from prune_rnn.run.store import Run


def test_what_was_left_behind_is_removed_and_reported(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    kept = {"done-0/result.json", "begun-0/checkpoint.pt", "begun-0/config.yaml", "done-0/model.pt"}
    left = {
        "done-0/checkpoint.pt", "done-0/checkpoint-before.pt", "done-0/.model-float32.safetensors.x.unfinished",
        "begun-0/.checkpoint.pt.x.unfinished", "never-0/lock", "cut-0/lock", "cut-0/.config.yaml.x.unfinished",
    }  # fmt: skip
    for name in kept | left:
        (runs / name).parent.mkdir(parents=True, exist_ok=True)
        (runs / name).touch()
    said: list[str] = []
    tidy(tmp_path, said.append)
    found = {str(path.relative_to(runs)) for path in runs.rglob("*") if path.is_file()}
    assert found - {"done-0/lock", "begun-0/lock"} == kept
    assert not (runs / "never-0").exists() and not (runs / "cut-0").exists()
    # whether a process was cut off does not show in a lock alone
    assert {line.removesuffix(", left by a process that was cut off") for line in said} == {
        f"removing {runs / name}" for name in left if not name.endswith("/lock")
    }


def test_what_another_process_holds_is_left_alone(tmp_path: Path) -> None:
    run = Run(paths.runs(tmp_path) / "held-0")
    with run.lock():
        (run.folder / ".config.yaml.x.unfinished").touch()
        tidy(tmp_path, lambda line: None)
        assert len(list(run.folder.iterdir())) == 2
