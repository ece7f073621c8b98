"""How much speech an epoch trains on: its optimizer steps, and the length of an utterance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from prune_rnn.config.config import Config
from prune_rnn.data.fingerprint import is_fingerprint, lines_of
from prune_rnn.predict.setting import SECONDS
from prune_rnn.values import from_json


@dataclass(frozen=True, slots=True)
class Amount:
    """steps: of an epoch; None where only the data set knows its utterances. seconds: of an utterance, on average.

    exact: whether the steps are known, not computed from hours of speech.
    """

    steps: int | None
    seconds: float
    exact: bool = True


def amount(config: Config) -> Amount:
    """Returns what an epoch trains on; a manifest without durations counts as utterances of synthetic speech.

    The fingerprint of a manifest says nothing of its amount.
    """
    hours: float | None = getattr(config.data, "train_hours", None)
    manifest: str | None = getattr(config.data, "train", None)
    utterances, seconds = (None if hours is None else 3600 * hours / SECONDS), SECONDS
    if manifest is not None and not is_fingerprint(manifest):
        lines = [line for line in lines_of(Path(manifest)) if line.strip()]
        durations = [each for line in lines if (each := _duration(line))]
        utterances, seconds = len(lines), fmean(durations) if durations else SECONDS
    steps = config.train.steps_per_epoch
    if steps is None and utterances is not None:
        steps = math.ceil(utterances / config.train.batch_size)
    return Amount(steps, seconds, exact=config.train.steps_per_epoch is not None or manifest is not None)


def _duration(line: str) -> float | None:
    """Returns the seconds that a manifest's line states; None where it states none, or is not whole."""
    try:
        entry: Any = from_json(line)
    except ValueError:
        return None  # `train` names such lines
    stated = entry.get("duration") if isinstance(entry, dict) else None
    if not isinstance(stated, int | float) or isinstance(stated, bool) or not 0 < stated < math.inf:
        return None
    return float(stated)
