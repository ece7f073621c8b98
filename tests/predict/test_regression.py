"""Cells lean on each other, and only runs that say something of others count."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from prune_rnn.analyse.finished import read
from prune_rnn.predict.magnitudes import END, Magnitudes, Regressors
from prune_rnn.predict.regression import Observed, left_out, observed
from prune_rnn.run.store import Run

RESULTS = Path(__file__).parents[2] / "results"


def observations(cell: str, widths: Sequence[int], a: float) -> list[Observed]:
    """Returns ends of runs of one distribution, whose shape changes with the width."""
    found = []
    for units, threshold in itertools.product(widths, (0.1, 0.2, 0.4)):
        of = Regressors(threshold, units, 200, 0.45, 0.05)
        sparsity = Magnitudes(END, cell, "recurrent", a, 1.0, *[0.0] * 4, 1.0, 0.0, 1.0, 0.0).sparsity(of)
        found.append(Observed(END, cell, "recurrent", of, sparsity, goal=sparsity, share=1.0))
    return found


def test_a_cell_of_few_widths_takes_from_the_others_what_changes_with_the_width() -> None:
    """The only width of a cell but one can't tell; the other cell has four, and differs in the level alone."""
    few = observations("rnn", [100, 200], 2.0)
    more = [*few, *observations("gru", [64, 96, 192, 256], 1.0)]
    alone, together = (
        [abs(predicted - math.log(-math.log1p(-each.sparsity))) for each, predicted in left_out(of, "rnn", END)]
        for of in (few, more)
    )
    assert len(together) == len(few) and max(together) < 0.05 < 0.2 < max(alone)


@pytest.mark.skipif(not (RESULTS / "runs").is_dir(), reason="no committed runs here")
def test_a_run_that_starts_from_trained_weights_says_nothing_of_others() -> None:
    from_nothing, from_dense = (
        read(Run(RESULTS / "runs" / name)) for name in ("gru_sparse_big-41d333309a", "gru_sparse_big-3d94e116e7")
    )
    found = list(observed(from_nothing))
    assert not list(observed(from_dense))
    for layer_type in ("recurrent", "linear"):
        own = [each for each in found if each.layer_type == layer_type]
        ends = [each for each in own if each.part == END]
        assert ends == own[-1:] == [max(own, key=lambda each: each.regressors.threshold)]
