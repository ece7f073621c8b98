"""`describe` prints the paper's parameter counts."""

import pytest

from prune_rnn.config import compose_config
from prune_rnn.table.layers import describe


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        ("rnn_dense", ["19,616", "239,168", "8,507,840", "9,296,320", "3,101,120", "51,069", "67,696,733"]),
        ("gru_dense", ["29,752,320", "39,336,960", "107,520", "6,558,720", "74,269", "115,425,533"]),
    ],
)
def test_counts_are_the_papers(model: str, counts: list[str]) -> None:
    printed = describe(compose_config([f"model={model}", "scale=paper"]))
    assert all(f" {count} " in f"{printed} ".replace("\n", " ") for count in counts)
    assert "scale paper" in printed.splitlines()[0]


def test_prunable_leaves_out_convolutions_and_norms() -> None:
    lines = describe(compose_config(["model=gru_dense", "scale=paper"])).splitlines()
    prunable = {line.split()[0]: line.split()[-1] for line in lines[4:]}
    assert prunable["conv.1"] == prunable["row_conv"] == "0"
    assert prunable["linear"] == f"{2560 * 2560:,}" and prunable["recurrent.1"] == f"{6 * 2560 * 2560:,}"
