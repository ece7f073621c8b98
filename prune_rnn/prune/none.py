"""No pruning: the dense baseline."""

from __future__ import annotations

from dataclasses import dataclass

from prune_rnn.config.option import option
from prune_rnn.prune.base import Method


@dataclass(kw_only=True, slots=True)
class Dense(Method):
    """Trains the network dense."""

    method: str = option("its name; not to be set: give prune=none", "none")
