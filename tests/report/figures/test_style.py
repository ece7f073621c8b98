"""A model has one look in every figure, and the user's settings change nothing."""

import matplotlib

from prune_rnn.analyse.rows import Row
from prune_rnn.report.figures.style import BLACK, Material, settings


def row(label: str, sparse: bool) -> Row:
    return Row(
        label=label, family="gru", model="", command="", trains=None, units=1, sparse=sparse, config=None, composed=None
    )


def test_dense_is_black_and_sparse_ones_differ() -> None:
    rows = [row("Dense", False), row("Sparse", True), row("Medium", True), row("Big", True)]
    looks = [Material(rows, []).colour(one) for one in rows]
    assert looks[0][0] == BLACK and len({colour for colour, _ in looks}) == len({marker for _, marker in looks}) == 4


def test_settings_are_put_back() -> None:
    with matplotlib.rc_context({"font.size": 30}):
        with settings():
            assert matplotlib.rcParams["font.size"] == 10
        assert matplotlib.rcParams["font.size"] == 30
