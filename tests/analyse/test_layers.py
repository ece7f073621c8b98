"""`describe` prints the paper's parameter counts."""

from pathlib import Path

import pytest

from prune_rnn.analyse.layers import describe
from prune_rnn.config.config import compose_config


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        ("rnn_dense", ["19,616", "239,168", "8,507,840", "9,296,320", "3,101,120", "51,069", "67,696,733"]),
        ("gru_dense", ["29,752,320", "39,336,960", "107,520", "6,558,720", "74,269", "115,425,533"]),
    ],
)
def test_counts_are_the_papers(model: str, counts: list[str], tmp_path: Path) -> None:
    printed = describe(compose_config([f"model={model}", "scale=paper", f"results={tmp_path}"]))
    assert all(f" {count} " in f"{printed} ".replace("\n", " ") for count in counts)
    assert "scale paper" in printed.splitlines()[0]


def test_prunable_leaves_out_convolutions_and_norms(tmp_path: Path) -> None:
    printed = describe(compose_config(["model=gru_dense", "scale=paper", f"results={tmp_path}"]))
    prunable = {line.split()[0]: line.split()[-1] for line in printed.split("\n\n")[1].splitlines()[2:]}
    assert prunable["conv.1"] == prunable["row_conv"] == "0"
    assert prunable["linear"] == f"{2560 * 2560:,}" and prunable["recurrent.1"] == f"{6 * 2560 * 2560:,}"


def test_it_says_what_to_expect(tmp_path: Path) -> None:
    """Half of 343,273 parameters stay."""
    printed = describe(compose_config(["model=gru_sparse", "prune.sparsity=0.5", f"results={tmp_path}"]))
    text = " ".join(printed.split())
    assert "52.20 % of the prunable weights to be pruned, in epochs 1 to 10 of 20" in text
    assert "171,637 of 343,273 parameters, 50.0 % sparse" in text and "90 % interval" in text
