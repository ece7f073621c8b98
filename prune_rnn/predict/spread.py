"""How far the seeds of one setting lie apart: the deviation of log CER, for each kind of data and training.

Little speech spreads seeds more: those of 40 minutes of real digits by 14 to 21 %, those of `scale=small` by 2 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from prune_rnn.predict.networks import Network
from prune_rnn.predict.setting import SYNTHETIC, Setting

SEEDS = 0.025  # where no setting has two runs
OTHER_DATA = 0.1  # at least, for data without two runs of one setting
_DEGREES = 2  # of freedom that this guess counts for


class Spread:
    """The deviations over the seeds of some networks, pooled over the settings that have several runs."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._of_kin: dict[str, tuple[int, float]] = {}  # degrees of freedom, sum of squares
        for network in networks:
            if network.deviation is not None:
                degrees, squares = self._of_kin.get(network.setting.kin, (0, 0.0))
                more = network.seeds - 1
                self._of_kin[network.setting.kin] = degrees + more, squares + more * network.deviation**2
        synthetic = {network.setting.kin for network in networks if network.setting.data == SYNTHETIC}
        pooled = [each for kin, each in self._of_kin.items() if kin in synthetic]
        degrees = sum(degree for degree, _ in pooled)
        self._common = math.sqrt(sum(squares for _, squares in pooled) / degrees) if degrees else SEEDS

    def of(self, setting: Setting) -> float:
        """Returns the deviation of log CER over the seeds of a setting."""
        guess = self._common if setting.data == SYNTHETIC else max(self._common, OTHER_DATA)
        degrees, squares = self._of_kin.get(setting.kin, (0, 0.0))
        return math.sqrt((_DEGREES * guess**2 + squares) / (_DEGREES + degrees))
