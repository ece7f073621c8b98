"""All data sets, by the name of their option: conf/data/<name>.yaml."""

from __future__ import annotations

from prune_rnn.data.base import Data
from prune_rnn.data.manifest import Manifest
from prune_rnn.data.synthetic.settings import Synthetic

SETS: dict[str, type[Data]] = {
    "synthetic": Synthetic,
    "manifest": Manifest,
}
