"""All pruning methods, by the name of their option: conf/prune/<name>.yaml."""

from __future__ import annotations

from prune_rnn.prune.base import Method
from prune_rnn.prune.cubic import Cubic
from prune_rnn.prune.gradual import Gradual
from prune_rnn.prune.hard import Hard
from prune_rnn.prune.none import Dense

METHODS: dict[str, type[Method]] = {
    "none": Dense,
    "gradual": Gradual,
    "cubic": Cubic,
    "hard": Hard,
}
