"""The targets of a prediction, among the overrides: `target.cer=0.27`, `target.parameters=60000`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from prune_rnn.config.nearest import choose
from prune_rnn.usage import UsageError

_PREFIX = "target."


@dataclass(frozen=True, slots=True)
class Targets:
    """cer: fraction that the upper end of the interval may reach. parameters: not zero. bytes: of the packed float32
    file. speedup: of a recurrent layer at one stream, on this machine, over the fastest dense one."""

    cer: float | None = None
    parameters: float | None = None
    bytes: float | None = None
    speedup: float | None = None


def targets(overrides: Sequence[str]) -> tuple[Targets | None, list[str]]:
    """Returns the targets among overrides, None where there are none, and the other overrides.

    Raises UsageError where a target is unknown or no number above 0.
    """
    names = [field.name for field in fields(Targets)]
    given: dict[str, float] = {}
    for word in (each for each in overrides if each.startswith(_PREFIX)):
        name, _, value = word.removeprefix(_PREFIX).partition("=")
        if name not in names:
            known = [f"{_PREFIX}{each}" for each in names]
            raise UsageError(f"{word}: {_PREFIX}{name} is no target; {choose(_PREFIX + name, known)}")
        try:
            given[name] = float(value)
        except ValueError:
            given[name] = math.nan
        if not 0 < given[name] < math.inf or (name == "cer" and given[name] >= 1):
            limits = "a fraction between 0 and 1, such as 0.27" if name == "cer" else "a number above 0"
            raise UsageError(f"{word}: must be {limits}")
    return Targets(**given) if given else None, [each for each in overrides if not each.startswith(_PREFIX)]
