"""All recurrent cells, by the name that `model.cell` takes."""

from __future__ import annotations

from enum import Enum
from typing import Any

from prune_rnn.model.gru import GRU
from prune_rnn.model.lstm import LSTM
from prune_rnn.model.rnn import RNN


class Cells(Enum):
    """The one list of cells; a member's name goes into a run's identity, its value is the `Cell` itself."""

    rnn = RNN()
    gru = GRU()
    lstm = LSTM()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Pickles by name, so that a launcher's other process has the same member."""
        return getattr, (Cells, self.name)
