"""The command once, as a user runs it, and where its record goes."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from prune_rnn.bench import archive
from prune_rnn.bench.candidate import Candidate, Measurement
from prune_rnn.bench.matrices import FORCED
from prune_rnn.bench.plan import BenchOptions
from prune_rnn.bench.run import folder_of, progress

WORDS = ["--shapes=rnn_1760", "--streams=1", "--sparsity=0.95", "--workloads=product", "--rounds=1", "--seconds=0"]


def test_the_command_leaves_its_record_and_its_table(command: Callable, tmp_path: Path) -> None:
    done = command("bench", *WORDS, check=True)
    assert "RNN 1760" in done.stdout and "Fastest dense baseline" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 120  # the last line is a path
    assert done.stderr.count("product, RNN 1760, 1 stream(s): fastest dense") == 1
    (folder,) = (tmp_path / "results" / "tables" / "table5").iterdir()
    found = {path.name for path in folder.iterdir()}
    assert {"all.csv", "conditions.json", "README.md", "product.md", "summary.tex"} <= found
    assert not found & {"layer.md", "network.md", ".unfinished"}
    rows, conditions = archive.read(folder)
    assert {"torch float32", "torch CSR"} <= {row.name for row in rows} and all(row.median_us > 0 for row in rows)
    assert (
        conditions.command == "prune-rnn bench " + shlex.join(WORDS) and conditions.threads == torch.get_num_threads()
    )


def test_a_wrong_command_says_so(command: Callable) -> None:
    failed = command("bench", "--rounds=0")
    assert failed.returncode == 2 and failed.stderr == "prune-rnn: rounds=0: must be 1 or more\n"
    wrong = command("bench", "quick")
    assert wrong.returncode == 2 and "unexpected extra argument (quick)" in wrong.stderr


def test_other_options_go_to_another_folder(tmp_path: Path) -> None:
    """A short run must not replace the whole table."""
    options = BenchOptions(threads=3, results=str(tmp_path))
    whole, short = folder_of(options), folder_of(replace(options, streams=[1]))
    assert whole.name.endswith("_3_threads") and whole.parent == tmp_path / "tables" / "table5"
    assert short.name.startswith(f"{whole.name}_") and short != folder_of(replace(options, streams=[4]))


def test_progress_names_the_fastest_of_both_kinds() -> None:
    def measured(name: str, us: float, sparsity: float | None = None, mask: str = "dense") -> Measurement:
        return Measurement("layer", "x", 4, Candidate(name, "int8", sparsity, mask), [us])

    group = [measured("a", 30.0), measured("b", 20.0)]
    assert progress(group, "X") == "layer, X, 4 stream(s): fastest dense 20.0 us (b)"
    group += [measured("c", 7.0, 0.9, "unstructured"), measured("d", 1.0, 0.3, FORCED)]
    assert progress(group, "X").endswith(", fastest sparse 7.0 us (c)")
