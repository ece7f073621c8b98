"""A row's runs start from or learn from other runs of their own seed, which are made first."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from prune_rnn import paths
from prune_rnn.analyse.layout import Layout, RowLayout
from prune_rnn.analyse.rows import Library
from prune_rnn.analyse.sources import PACKED, packed_bytes
from prune_rnn.run.store import Run

Fabricate = Callable[..., Run]
RETRAINED = "model=gru_sparse prune=hard prune.epoch=0"


def packed(run: Run, value: float) -> str:
    """Gives the run a packed file of one weight."""
    save_file({"weight": torch.tensor([value])}, run.folder / PACKED)
    return str(run.folder / PACKED)


@pytest.fixture
def library(tmp_path: Path) -> Callable[[], Library]:
    return lambda: Library([f"results={tmp_path / 'results'}"])


def test_what_is_missing_is_made_first(fabricate: Fabricate, library: Callable[[], Library]) -> None:
    of = RowLayout(overrides=RETRAINED, init=["model=gru_dense", f"{RETRAINED} prune.sparsity=0.5"])
    results = f"results={library().shared.results}"
    assert library().row(of).commands(1) == [(0, f"prune-rnn train model=gru_dense {results}")]
    dense = fabricate("gru_dense")
    first = packed(dense, 1.0)
    ((_, command),) = library().row(of).commands(1)
    assert command == f"prune-rnn train {RETRAINED} prune.sparsity=0.5 {results} init={first}"
    middle = fabricate(*RETRAINED.removeprefix("model=").split(), "prune.sparsity=0.5", f"init={first}")
    second = packed(middle, 2.0)
    row = library().row(of)
    assert row.commands(2) == [
        (0, f"prune-rnn train {RETRAINED} {results} init={second}"),
        (1, f"prune-rnn train model=gru_dense {results} seed=1"),
    ]
    last = fabricate(*RETRAINED.removeprefix("model=").split(), f"init={second}")
    row = library().row(of)
    assert [run.name for run in row.runs] == [last.folder.name] and not row.commands(1)
    assert [run.name for run in row.before[last.folder.name]] == [dense.folder.name, middle.folder.name]
    assert packed_bytes(dense.folder) == (dense.folder / PACKED).stat().st_size and packed_bytes(last.folder) is None


def test_a_run_that_is_not_packed_is_a_source_itself(fabricate: Fabricate, library: Callable[[], Library]) -> None:
    """Packed later, it is the same network: the row keeps its run."""
    of = RowLayout(overrides=RETRAINED, init=["model=gru_dense"])
    dense = fabricate("gru_dense")
    dense.save(paths.MODEL, {"model": {"weight": torch.tensor([1.0])}})
    ((_, command),) = library().row(of).commands(1)
    assert command.endswith(f" init={dense.folder}")
    own = fabricate(*RETRAINED.removeprefix("model=").split(), f"init={dense.folder}")
    for _ in range(2):
        row = library().row(of)
        assert [run.name for run in row.runs] == [own.folder.name] and not row.commands(1)
        packed(dense, 1.0)


def test_each_seed_has_the_teacher_of_its_own(fabricate: Fabricate, library: Callable[[], Library]) -> None:
    of = RowLayout(overrides="model=gru_sparse", teacher="model=gru_dense")
    teachers = [packed(fabricate("gru_dense", f"seed={seed}"), float(seed)) for seed in (0, 1)]
    taught = [fabricate("gru_sparse", f"seed={seed}", f"teacher={teachers[seed]}") for seed in (0, 1)]
    fabricate("gru_sparse")
    row = library().row(of)
    assert [run.name for run in row.runs] == [run.folder.name for run in taught]
    assert [[run.seed for run in row.before[each.folder.name]] for each in taught] == [[0], [1]]
    alone = library().row(RowLayout(overrides="model=gru_sparse"))
    assert [run.seed for run in alone.runs] == [0] and alone.runs[0].name not in [run.folder.name for run in taught]


def test_a_network_that_is_start_and_teacher_was_trained_once(
    fabricate: Fabricate, library: Callable[[], Library]
) -> None:
    dense = fabricate("gru_dense")
    file = packed(dense, 1.0)
    own = fabricate("gru_sparse", f"init={file}", f"teacher={file}")
    row = library().row(RowLayout(overrides="model=gru_sparse", init=["model=gru_dense"], teacher="model=gru_dense"))
    assert [run.name for run in row.before[own.folder.name]] == [dense.folder.name]


def test_seeds_that_start_from_others_are_of_one_setting(fabricate: Fabricate, library: Callable[[], Library]) -> None:
    """Two dense seeds and two that start from them: two degrees of freedom."""
    files = [packed(fabricate("gru_dense", f"seed={seed}", edits=[5 + seed]), float(seed)) for seed in (0, 1)]
    for seed, file in enumerate(files):
        fabricate("gru_sparse", f"seed={seed}", f"init={file}", f"teacher={file}", edits=[7 + seed])
    spread = library().spread([library().row(RowLayout(overrides="model=gru_dense"))])
    assert spread is not None and spread.degrees == 2


def test_rounding_and_averaging_are_no_other_training(fabricate: Fabricate, library: Callable[[], Library]) -> None:
    """Two default seeds, two in float32, two averaged: three degrees of freedom. Those of another rate do not count."""
    for words in ((), ("train.precision=float32",), ("train.average=0.9",), ("train.learning_rate=0.001",)):
        for seed in (0, 1):
            fabricate("gru_dense", f"seed={seed}", *words, edits=[5 + seed])
    spread = library().spread([library().row(RowLayout(overrides="model=gru_dense train.average=0.9"))])
    assert spread is not None and spread.degrees == 3


def test_overrides_may_name_the_source_themselves(fabricate: Fabricate, library: Callable[[], Library]) -> None:
    start = packed(fabricate("gru_dense"), 1.0)
    run = fabricate("gru_sparse", f"init={start}")
    fabricate("gru_sparse")
    (found,) = library().row(RowLayout(overrides=f"model=gru_sparse init={start}")).runs
    assert found.name == run.folder.name


def test_a_label_stands_for_its_row() -> None:
    one = RowLayout(overrides="model=gru_sparse", label="gradual", baseline="model=gru_dense")
    other = RowLayout(overrides="model=gru_sparse prune=cubic", baseline="model=gru_dense", against="gradual")
    layout = Layout(kind="compare", rows=[one, other])
    assert [each.overrides for each in layout.others(other)] == ["model=gru_dense", "model=gru_sparse"]
    assert layout.others(other)[1] is one and len(layout.every()) == 5
