"""Seeds of one setting start from seeds of one setting; runs with other starts are never taken for its seeds."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from prune_rnn.analyse.finished import Finished, read
from prune_rnn.analyse.layout import RowLayout
from prune_rnn.analyse.origins import origins
from prune_rnn.analyse.rows import Library
from prune_rnn.analyse.sources import PACKED
from prune_rnn.predict.networks import of_runs
from prune_rnn.run.store import Run

Fabricate = Callable[..., Run]
AT_ONCE = "prune=hard", "prune.epoch=0"


def packed(run: Run) -> str:
    """Gives the run a packed file of one weight, of which no other run has the same."""
    save_file({run.folder.name: torch.tensor([1.0])}, run.folder / PACKED)
    return str(run.folder / PACKED)


@pytest.fixture
def runs(fabricate: Fabricate) -> list[Finished]:
    """Two dense networks, each pruned in one round; and the first again, in a further one."""
    dense = [fabricate("gru_dense", f"seed={seed}", "model.units=64") for seed in (0, 1)]
    first = [
        fabricate("gru_sparse", *AT_ONCE, "model.units=64", f"seed={seed}", f"init={packed(run)}", edits=[5 + seed])
        for seed, run in enumerate(dense)
    ]
    second = fabricate("gru_sparse", *AT_ONCE, "model.units=64", f"init={packed(first[0])}", edits=[20])
    return [read(run) for run in (*dense, *first, second)]


def test_seeds_of_one_setting_have_one_origin(runs: list[Finished]) -> None:
    dense, _, one, other, further = (origins(runs)[run.name] for run in runs)
    assert dense == "" and one == other != "" and further not in ("", one)


def test_a_start_may_be_elsewhere(runs: list[Finished]) -> None:
    *dense, one, other, _ = runs
    unknown, known = origins([one, other]), origins([one, other], dense)
    assert unknown[one.name] != unknown[other.name] and known[one.name] == known[other.name]
    assert known[one.name] == origins(runs)[one.name]


def test_a_teacher_counts_with_its_share(fabricate: Fabricate) -> None:
    dense = [fabricate("gru_dense", f"seed={seed}") for seed in (0, 1)]
    taught = [fabricate("gru_sparse", f"seed={n}", f"teacher={packed(run)}") for n, run in enumerate(dense)]
    found = origins([read(run) for run in (*dense, *taught)])
    assert found[taught[0].folder.name] == found[taught[1].folder.name] != ""


def test_neither_spread_nor_network_mixes_rounds(runs: list[Finished], tmp_path: Path) -> None:
    """5 and 6 wrong of 22, from a dense network; 20 from a pruned one, which is no third seed of these."""
    library = Library([f"results={tmp_path / 'results'}"])
    row = library.row(
        RowLayout(
            overrides=" ".join(("model=gru_sparse model.units=64", *AT_ONCE)), init=["model=gru_dense model.units=64"]
        )
    )
    spread = library.spread([row])
    assert spread is not None and spread.degrees == 2  # of two dense and two pruned networks, each of two seeds
    assert spread.deviation == pytest.approx(math.log(6 / 5) / math.sqrt(2) / math.sqrt(2))
    found = sorted((network.seeds, round(22 * math.exp(network.log_cer), 2)) for network in of_runs(runs[2:], runs[:2]))
    assert found == [(1, 20.0), (2, round(math.sqrt(30), 2))]
