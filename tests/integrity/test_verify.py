"""`prune-rnn verify` finds what is damaged, and what carries no checksum."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save

from prune_rnn import paths
from prune_rnn.config.config import compose_config
from prune_rnn.deploy.export import ExportOptions, export
from prune_rnn.integrity import corpus
from prune_rnn.integrity.verify import verify
from prune_rnn.run import store
from prune_rnn.run.record import recorded
from prune_rnn.run.resolve import run_of
from prune_rnn.run.store import LISTED, Run
from prune_rnn.train.experiment import experiment


@pytest.fixture
def run(tiny: list[str]) -> Run:
    run = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.4", *tiny]), "prune-rnn train")
    dev = next(word for word in tiny if word.startswith("data.dev=")).removeprefix("data.dev=")
    export(run.folder, ExportOptions(dev=dev))
    return run


_READ_LATE = (paths.HISTORY, paths.HYPOTHESES)  # `runs` reads neither of a finished run
OF_TODAY = (paths.CONFIG, paths.RESULT, paths.HISTORY, paths.HYPOTHESES, paths.MODEL, "model-float32.safetensors")


def verified(run: Run) -> tuple[bool, list[str]]:
    lines: list[str] = []
    return verify([run.folder], Path("results"), lines.append), lines


def test_any_bit_flipped_in_any_file_is_found(run: Run, flipped: Callable[[bytes, int], bytes]) -> None:
    assert verified(run) == (True, ["6 files: 0 damaged"])
    random = Random(0)
    for path in sorted(run.folder.iterdir()):
        if path.name != paths.LOCK:
            content = path.read_bytes()
            for _ in range(10):
                path.write_bytes(flipped(content, random.randrange(8 * len(content))))
                whole, lines = verified(run)
                assert not whole and any(path.name in line for line in lines[:-1])
            path.write_bytes(content)
    assert verified(run)[0]


def test_a_file_without_its_checksum_is_damaged(run: Run, command: Callable) -> None:
    torch.save(run.load(paths.MODEL), run.folder / paths.MODEL)
    packed = run.folder / "model-float32.safetensors"
    with safe_open(packed, framework="pt") as file:
        metadata = file.metadata()
    del metadata["sha256"]
    packed.write_bytes(save(load_tensors(packed.read_bytes()), metadata))
    whole, lines = verified(run)
    assert not whole and lines[-1] == "6 files: 2 damaged"
    assert any("model.pt can't be read (it does not end with a checksum)" in line for line in lines)
    assert any("model-float32.safetensors is damaged ('sha256' is missing" in line for line in lines)
    (run.folder / paths.CHECKSUMS).unlink()
    done = command("verify", str(run.folder))
    assert done.returncode == 1 and done.stdout.count("checksums.json is missing or damaged (No such file") == 1
    assert f"; delete {run.folder} and train again" in done.stdout.splitlines()[0]


def test_the_weights_of_another_run_are_found(run: Run, tiny: list[str]) -> None:
    """They fit; only what they were trained with is another."""
    other = experiment(compose_config(["model=gru_sparse", "prune.sparsity=0.3", *tiny]), "prune-rnn train")
    (run.folder / paths.MODEL).write_bytes((other.folder / paths.MODEL).read_bytes())
    whole, lines = verified(run)
    assert not whole and lines[0].startswith(f"{run.folder / paths.MODEL} does not hold the weights of its run (")


def test_all_runs_are_checked_where_none_is_named(run: Run, command: Callable) -> None:
    results = f"--results={run.folder.parents[1]}"
    assert command("verify", results, check=True).stdout.startswith("6 files: 0 damaged")
    (run.folder / paths.HISTORY).unlink()
    (run.folder / ".model.pt.x.unfinished").touch()
    done = command("verify", results)
    assert done.returncode == 1 and "6 files: 1 damaged" in done.stdout
    assert "history.csv is missing or damaged" in done.stdout and "the next training removes it" in done.stdout


def test_nothing_to_check_is_an_error(command: Callable, tmp_path: Path) -> None:
    """A wrong path must not pass for whole."""
    done = command("verify", "--results=typo")
    assert (
        done.returncode != 0 and "typo/runs holds no run; train one, or give --results or a RUN or FILE" in done.stderr
    )


def test_files_and_corpora_are_checked(run: Run, command: Callable, tmp_path: Path) -> None:
    (tmp_path / "synthetic.sha256").write_text(f"{'0' * 64}  dev.jsonl\n")
    assert "dev.jsonl is damaged or gone" in command("verify", str(tmp_path)).stdout
    packed = run.folder / "model-float32.safetensors"
    assert command("verify", str(packed), check=True).stdout.startswith("1 files: 0 damaged")
    assert command("verify", str(run.folder / paths.MODEL), check=True).stdout.startswith("1 files: 0 damaged")
    done = command("verify", str(tmp_path / "nothing"))
    assert done.returncode == 1 and "nothing is neither the folder of a run nor a packed file" in done.stderr


def test_a_folder_that_is_no_run_is_not_to_be_deleted(command: Callable, tmp_path: Path) -> None:
    own = tmp_path / "recordings"
    own.mkdir()
    for file in (None, "corpus.wav", "packed.safetensors"):
        if file:
            (own / file).write_text("mine")
        done = command("verify", str(own))
        assert done.returncode == 1 and "recordings is neither the folder of a run nor a packed file" in done.stderr
        assert "delete" not in done.stdout + done.stderr
    below = paths.runs(tmp_path / "results") / "notes"
    below.mkdir(parents=True)
    (below / "notes.txt").write_text("mine")
    done = command("verify")
    assert done.returncode == 1 and f"{below.relative_to(tmp_path)} holds no file of a run" in done.stdout
    assert "delete" not in done.stdout
    (own / paths.RESULT).write_text("{}")  # what is left of a run
    assert "checksums.json is missing or damaged" in command("verify", str(own)).stdout


def test_a_copied_run_is_to_be_renamed(run: Run) -> None:
    copy = Run(run.folder.rename(run.folder.parent / "backup"))
    whole, lines = verified(copy)
    assert not whole and lines[-1].startswith("6 files: 1 damaged")
    assert lines[0].endswith(f"; rename it to {run.folder.name}, or delete it")
    renamed = Run(copy.folder.rename(run.folder.parent / "gru_sparse-0123456789"))
    assert verified(renamed)[1][0].endswith(f"; rename it to {run.folder.name}, or delete it")


def test_a_damaged_file_is_named_once(run: Run) -> None:
    """The history and the hypotheses are read with the result, and the packed file with the configuration."""
    with (run.folder / paths.RESULT).open("a") as file:
        file.write(" ")
    whole, lines = verified(run)
    assert not whole and len(lines) == 2 and "result.json is damaged" in lines[0]
    assert lines[1] == "6 files: 1 damaged"
    (run.folder / paths.CONFIG).write_text("")
    assert verified(run)[1][-1].startswith("6 files: 2 damaged")


@pytest.mark.parametrize("listed", ["{}", '{"config.yaml": "0"}'])
def test_checksums_that_do_not_list_the_run_are_damage(run: Run, listed: str) -> None:
    """Else an edited result would pass."""
    (run.folder / paths.CHECKSUMS).write_text(listed)
    whole, lines = verified(run)
    assert not whole and any("checksums.json is missing or damaged" in line for line in lines)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_corpus_with_a_shortened_list_is_damaged(command: Callable, tmp_path: Path, kept: int) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("dev.jsonl", "test.jsonl"):
        (folder / name).write_text(name)
    corpus.write(folder)
    command("verify", str(folder), check=True)
    path = folder / corpus.NAME
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:kept]))
    done = command("verify", str(folder))
    assert done.returncode == 1 and "test.jsonl is damaged or gone" in done.stdout


KINDS = ["pipe", "zeros", "sparse", "folder"]
DEEP = [
    "[" * 100_000,
    "[" * 900 + "]" * 900,
    "a: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
]
Instead, Seconds = Callable[[Path, str], None], Callable[[float], AbstractContextManager]


def one_warning(run: Run, name: str, tiny: list[str], command: Callable) -> None:
    """Every command tells of the file, in one line, and ends."""
    results = f"--results={run.folder.parents[1]}"
    store._warn.cache_clear()
    found = command("verify", results)
    assert found.returncode == 1 and name in found.stdout and not found.stderr
    shown = command("runs", results, check=True).stdout
    assert "damaged" in shown or name in (paths.HISTORY, paths.HYPOTHESES)  # it reads neither
    warned = [line for line in command("report", *tiny).stderr.splitlines() if "damaged" in line]
    assert len(warned) == 1 and str(run.folder) in warned[0] and name in warned[0]


def test_what_is_no_file_in_a_finished_runs_folder_is_one_line_of_every_command(
    run: Run, tiny: list[str], command: Callable, instead: Instead, seconds: Seconds
) -> None:
    for name, kind in zip((*OF_TODAY, paths.CHECKSUMS), 2 * KINDS, strict=False):
        path = run.folder / name
        path.rename(whole := run.folder / "whole")
        instead(path, kind)
        with seconds(60):
            if name in (*LISTED, paths.CHECKSUMS):
                one_warning(run, name, tiny, command)
                assert name in command("train", *tiny, "model=gru_sparse", "prune.sparsity=0.4").stderr
            else:
                assert name in command("verify", str(run.folder)).stdout
                again = command("transcribe" if "float32" in name else "evaluate", str(path), "none.wav")
                assert again.returncode and len(again.stderr.splitlines()) == 1
        shutil.rmtree(path) if kind == "folder" else path.unlink()
        whole.rename(path)
    assert verified(run)[0]


@pytest.mark.slow
def test_one_deeply_nested_file_is_one_line_of_every_command(
    run: Run, tiny: list[str], command: Callable, relist: Callable, seconds: Seconds
) -> None:
    names = (*LISTED, paths.CHECKSUMS)
    content = {name: (run.folder / name).read_bytes() for name in names}
    cases = [*((name, False) for name in names), *((name, True) for name in (paths.CONFIG, paths.RESULT) for _ in DEEP)]
    for (name, listed), text in zip(cases, 4 * DEEP, strict=False):
        (run.folder / name).write_text(text)
        if listed:
            relist(run)
        with seconds(60):
            one_warning(run, name, tiny, command)
        for other in names:
            (run.folder / other).write_bytes(content[other])


@pytest.mark.parametrize("name", [paths.CHECKPOINT, paths.BEFORE, paths.CONFIG, paths.HISTORY, paths.LOCK])
def test_what_is_no_file_in_a_begun_runs_folder_holds_up_no_command(
    tiny: list[str], command: Callable, name: str, instead: Instead, seconds: Seconds
) -> None:
    words = [*tiny, "model=gru_dense", "prune=none"]
    run = run_of(compose_config(words))
    for kind in ("pipe", "sparse"):
        shutil.rmtree(run.folder, ignore_errors=True)
        run.save(paths.CHECKPOINT, {})
        run.write_history([{"epoch": 1, "step": 1, "train_loss": 1.0, "dev_loss": 1.0, "seconds": 1.0}])
        run.write_config(recorded(compose_config(words), ""))
        instead(run.folder / name, kind)
        with seconds(60):
            for line in (["runs", "--results=results"], ["verify", "--results=results"], ["report", *tiny]):
                done = command(*line)
                if line[0] == "verify" and name in (paths.CHECKPOINT, paths.BEFORE, paths.CONFIG):
                    assert done.returncode == 1 and name in done.stdout
            assert command("train", *words).returncode == 1  # there is no whole checkpoint
