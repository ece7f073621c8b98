"""The schedule shows the run of the lowest seed, once a model."""

from collections.abc import Callable
from pathlib import Path

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.figures.schedule import draw
from prune_rnn.report.figures.style import Material


def test_one_run_a_model_in_steps(fabricate: Callable, tmp_path: Path) -> None:
    for seed in (0, 1):
        fabricate("gru_sparse", f"seed={seed}")
    rows = Library([f"results={tmp_path / 'results'}"]).rows(layout(file_of("table3")).rows)
    figure = draw(Material(rows, []))
    assert figure is not None
    threshold, sparsity = figure.axes
    recurrent, linear, *_ = threshold.get_lines()
    assert recurrent.get_xdata()[-1] == 20 * 116 and recurrent.get_ydata()[-1] == 0.108
    assert linear.get_ydata()[-1] == 0.227 and len(sparsity.get_lines()) == 2
    assert max(sparsity.get_lines()[0].get_ydata()) == 92
