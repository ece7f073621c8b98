"""The figure's numbers, and what it looks like without any."""

import pytest

from prune_rnn.bench.archive import Row
from prune_rnn.bench.matrices import BLOCKED, FORCED, OWN_MASK, UNSTRUCTURED
from prune_rnn.report.figures.style import settings
from prune_rnn.report.table5.groups import Group, grouped
from prune_rnn.report.table5.plot import draw, speedups


def row(shape: str, us: float, sparsity: float | None = None, mask: str = "dense", streams: int = 1) -> Row:
    name = "torch int8" if sparsity is None else "engine int8"
    return Row(
        workload="layer", shape=shape, label=shape, streams=streams, sparsity=sparsity, mask=mask, name=name,
        weights="int8", exact=True, format="", median_us=us, first_quartile_us=us, third_quartile_us=us, least_us=us,
        rounds=1,
    )  # fmt: skip


@pytest.fixture
def groups() -> list[Group]:
    return list(
        grouped(
            row(shape, scale * us, sparsity, mask, streams)
            for streams in (1, 4, 16)
            for shape, scale in (("a", 1.0), ("b", 2.0))
            for us, sparsity, mask in [
                (100.0, None, "dense"),
                (20.0 * scale, 0.9, UNSTRUCTURED),
                (200.0, 0.5, FORCED),
                (10.0, 0.9, BLOCKED),
            ]
        ).values()
    )


def test_speed_ups_by_sparsity(groups: list[Group]) -> None:
    """b has twice the dense time and four times the sparse one."""
    assert speedups(groups[:2], "int8", UNSTRUCTURED) == {0.5: [0.5, 0.5], 0.9: [5.0, 2.5]}
    assert speedups(groups[:2], "int8", BLOCKED) == {0.9: [10.0, 10.0]}
    assert speedups(groups[:2], "float32", BLOCKED) == {}


def test_a_panel_for_the_fewest_and_the_most_streams(groups: list[Group]) -> None:
    with settings():
        figure = draw(groups)
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes] == ["1 stream", "16 streams"]
    _, unstructured, blocks = figure.axes[0].get_lines()  # the first is the line at 1
    assert list(unstructured.get_ydata()) == [0.5, 3.75] and list(blocks.get_ydata()) == [10.0]  # medians of the shapes
    assert list(unstructured.get_xdata()) == pytest.approx([1.0, 3.3219281])  # log2 of 1 / (1 - sparsity)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["50", "90"]


def test_one_number_of_streams_is_one_panel_and_models_alone_are_none(groups: list[Group]) -> None:
    with settings():
        figure = draw(groups[:2])
    assert figure is not None and len(figure.axes) == 1
    assert draw(list(grouped([row("a", 9.0), row("a", 3.0, 0.9, OWN_MASK)]).values())) is None
