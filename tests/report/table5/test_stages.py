"""The table and the bars of a network's stages, by hand."""

from prune_rnn.bench.archive import Row
from prune_rnn.report.table5 import stages


def row(name: str, stage: str, us: float, sparsity: float | None = None, label: str = "GRU") -> Row:
    return Row(
        workload="stages", shape=label, label=label, streams=1, sparsity=sparsity, mask="", name=name, weights="int8",
        exact=True, format="", median_us=us, first_quartile_us=us, third_quartile_us=us, least_us=us, rounds=1,
        stage=stage,
    )  # fmt: skip


ROWS = [
    row("dense", "features", 250), row("dense", "time loops", 3000), row("dense", "rest", 50),
    row("ours", "features", 200, 0.935), row("ours", "row convolution", 100, 0.935), row("ours", "rest", 10, 0.935),
    row("ours, streamed", "features", 400, 0.935), row("dense", "features", 100, label="RNN"),
]  # fmt: skip


def test_milliseconds_by_stage_and_their_sum() -> None:
    networks = stages.by_network(ROWS)
    order = ["features", "time loops", "rest", "row convolution"]
    assert stages.order(networks) == order
    dense, ours, _ = stages.table(networks["GRU"], order)
    assert list(dense.values()) == ["dense", "0.25", "3.00", "0.05", "-", "3.30"]
    assert list(ours.values()) == ["ours, 93.5 %", "0.20", "-", "0.01", "0.10", "0.31"]
    assert stages.table(networks["RNN"], order) == [{"Way": "dense", "features": "0.10", "all": "0.10"}]


def test_bars_end_where_the_sum_is_beside_the_fastest_dense_way() -> None:
    slow = row("slow", "features", 9000)
    figure = stages.draw(stages.by_network([slow, *ROWS]))
    gru, streamed, rnn = figure.axes
    assert [axes.get_title(loc="right") for axes in (gru, streamed, rnn)] == ["GRU", "GRU, streamed", "RNN"]
    ends = [max(bar.get_x() + bar.get_width() for bar in gru.patches if round(bar.get_y() + 0.4) == y) for y in (0, 1)]
    assert [round(end, 6) for end in ends] == [3.3, 0.31]
    assert [text.get_text() for text in gru.get_yticklabels()] == ["dense", "ours, 93.5 %"]
    assert [text.get_text() for text in streamed.get_yticklabels()] == ["ours, 93.5 %"]
