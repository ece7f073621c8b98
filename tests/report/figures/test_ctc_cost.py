"""The curves of cost: mean and band over seeds, and which families are drawn."""

from collections.abc import Callable
from pathlib import Path

import pytest

from prune_rnn.analyse.layout import file_of, layout
from prune_rnn.analyse.rows import Library
from prune_rnn.report.figures.ctc_cost import by_epoch, draw
from prune_rnn.report.figures.style import Material


def test_mean_and_band_over_seeds(fabricate: Callable, relist: Callable, tmp_path: Path) -> None:
    for seed, last in ((0, "1.0"), (1, "4.0")):
        run = fabricate("gru_dense", f"seed={seed}")
        (run.folder / "history.csv").write_text(f"epoch,step,train_loss,dev_loss\n1,5,9.0,8.0\n2,10,{last},2.0\n")
        relist(run)
    rows = Library([f"results={tmp_path / 'results'}"]).rows(layout(file_of("table3")).rows)
    dense = next(row for row in rows if row.model == "gru_dense")
    curve = by_epoch(dense, "train_loss")
    assert curve.loc[1].tolist() == [9, 9, 9] and curve.loc[2].tolist() == pytest.approx([2.5, 1, 4])
    assert draw(Material(rows, [])) is None  # nothing sparse to compare with


def test_a_family_without_its_baseline_is_not_drawn(fabricate: Callable, relist: Callable, tmp_path: Path) -> None:
    fabricate("gru_sparse")
    fabricate("rnn_sparse")
    fabricate("rnn_dense")
    rows = Library([f"results={tmp_path / 'results'}"]).rows(layout(file_of("table3")).rows)
    figure = draw(Material(rows, []))
    assert figure is not None and [axes.get_title() for axes in figure.axes] == [
        "RNN: CTC cost, train",
        "RNN: CTC cost, dev",
    ]
