"""What holds for every figure."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.figures.catalogue import FIGURES, draw_all
from prune_rnn.report.figures.style import Material, settings


@pytest.fixture(scope="module")
def material(sample: Path) -> Material:
    library = Library([f"results={sample}"])
    rows = library.rows(layout(file_of("table3")).rows)
    return Material(rows, library.comparable())


@pytest.mark.slow
def test_files_are_the_same_bytes_again_and_lie_on_white(material: Material, tmp_path: Path) -> None:
    first, skipped = draw_all(material, [], tmp_path / "one", "small")
    again, _ = draw_all(material, [], tmp_path / "two", "small")
    assert [figure.plot for figure in first] == FIGURES and skipped == []
    for one, other in zip(first, again, strict=True):
        assert one.png.name == f"{one.plot.name}_small.png"
        assert one.png.read_bytes() == other.png.read_bytes() and one.svg.read_bytes() == other.svg.read_bytes()
        assert b"<dc:date>" not in one.svg.read_bytes()
        pixels = imread(one.png)
        assert np.all(pixels[0, 0] == 1) and np.all(pixels[..., 3] == 1)  # white, opaque


def test_text_is_no_smaller_than_9_points_and_axes_have_their_names(material: Material) -> None:
    with settings():
        for plot in FIGURES:
            figure = plot.draw(material)
            assert figure is not None
            texts = [text for text in figure.findobj(lambda o: hasattr(o, "get_fontsize")) if text.get_text()]
            assert texts and min(text.get_fontsize() for text in texts) >= 9
            assert any(axes.get_xlabel() for axes in figure.axes) and any(axes.get_ylabel() for axes in figure.axes)


def test_without_runs_there_is_nothing_to_draw(fabricate: Callable, tmp_path: Path) -> None:
    fabricate("gru_dense", "scale=smoke")  # of another scale
    rows = Library([f"results={tmp_path / 'results'}"]).rows(layout(file_of("table3")).rows)
    drawn, skipped = draw_all(Material(rows, []), [], tmp_path / "figures", "small")
    assert drawn == [] and skipped == [plot.name for plot in FIGURES] and not (tmp_path / "figures").exists()
