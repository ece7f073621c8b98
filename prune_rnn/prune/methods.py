"""All pruning methods, by the name of their option: conf/prune/<name>.yaml."""

from __future__ import annotations

from prune_rnn.prune.base import Method
from prune_rnn.prune.blocks import Blocks
from prune_rnn.prune.cubic import Cubic
from prune_rnn.prune.fixed import Fixed
from prune_rnn.prune.gradual import Gradual
from prune_rnn.prune.hard import Hard
from prune_rnn.prune.nm import NM
from prune_rnn.prune.none import Dense
from prune_rnn.prune.random import Random
from prune_rnn.prune.saliency import Saliency

METHODS: dict[str, type[Method]] = {
    "none": Dense,
    "gradual": Gradual,
    "cubic": Cubic,
    "hard": Hard,
    "random": Random,
    "blocks": Blocks,
    "nm": NM,
    "saliency": Saliency,
    "fixed": Fixed,
}
