"""torch's matrices run a layer as it was trained."""

import pytest
import torch

from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.engine.torch import CsrMatrix, DenseMatrix
from prune_rnn.model.cell import Cell
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation
from prune_rnn.model.states import states


@pytest.mark.parametrize("made_by", [CsrMatrix, DenseMatrix])
@pytest.mark.parametrize("cell", [each.value for each in Cells], ids=lambda cell: cell.name)
@pytest.mark.parametrize("reverse", [False, True])
def test_layers_agree_with_the_trained_ones(made_by: type[CsrMatrix], cell: Cell, reverse: bool) -> None:
    weight, x = torch.randn(cell.gates * 8, 8), torch.randn(4, 2, cell.gates * 8)
    wanted = states(cell, x.flatten(0, 1), weight, torch.tensor([2, 2, 2, 2]), Activation.tanh, reverse)
    made = made_by(quantise(weight, Dtype.float32), gates=cell.gates)
    found, _ = made.layer(cell, Activation.tanh, x, reverse=reverse)
    torch.testing.assert_close(found.flatten(0, 1), wanted)
