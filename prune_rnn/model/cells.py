"""All recurrent cells, by the name that `model.cell` takes."""

from __future__ import annotations

from enum import Enum

from prune_rnn.model.gru import GRU
from prune_rnn.model.rnn import RNN


class Cells(Enum):
    """The one list of cells; a member's name goes into a run's identity, its value is the `Cell` itself."""

    rnn = RNN()
    gru = GRU()
