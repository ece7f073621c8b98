"""How sure a relative performance is: a paired bootstrap over seeds and speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prune_rnn.analyse.hypotheses import Edits

RESAMPLES = 10_000
_AT_ONCE = 1_000  # resamples; keeps the counts of a big test split within memory
_SEED = 20170417  # of the resampling: the same interval every time


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95 % of the resamples, fractions. seeds: those that both sides have, of which it was drawn."""

    low: float
    high: float
    seeds: tuple[int, ...]

    @property
    def includes_zero(self) -> bool:
        """Whether no difference at all is among what the data allow."""
        return self.low <= 0 <= self.high


def relative_interval(
    baseline: Mapping[int, Edits], row: Mapping[int, Edits], resamples: int = RESAMPLES, *, paired: bool = True
) -> Interval:
    """Returns the 95 % interval of (baseline CER - row CER) / baseline CER, from the edits of each seed's run.

    A resample draws as many seeds as both sides have, and as many speakers as there are, each with all its utterances,
    with replacement; the same ones for the baseline and the row, so that what is hard for both cancels out. A speaker's
    utterances are not independent: drawn one by one, which is done where the speakers aren't known, they make the
    interval too narrow. A resample's CER is the sum of edits over the sum of reference characters. `paired=False` draws
    the row's speakers apart from the baseline's, to show what pairing gains.

    Raises ValueError where no seed is in both, where the two were tested on different utterances, and where the
    baseline of a resample makes no error.
    """
    seeds = tuple(sorted(baseline.keys() & row.keys()))
    if not seeds:
        raise ValueError("no seed is in both")
    references = baseline[seeds[0]].references
    if any(side[seed].references != references for seed in seeds for side in (baseline, row)):
        raise ValueError("they were not tested on the same utterances in the same order")
    speakers = baseline[seeds[0]].speakers or [str(number) for number in range(len(references))]
    theirs, ours = (
        np.stack([by_speaker(side[seed].counts, speakers) for seed in seeds], axis=1) for side in (baseline, row)
    )
    lengths = by_speaker(baseline[seeds[0]].lengths, speakers)
    random = np.random.default_rng(_SEED)
    parts = []
    for start in range(0, resamples, _AT_ONCE):
        count = min(_AT_ONCE, resamples - start)
        drawn_seeds = _drawn(random, len(seeds), count)
        drawn = _drawn(random, len(lengths), count)
        own = drawn if paired else _drawn(random, len(lengths), count)
        cer_theirs = _cer(theirs, lengths, drawn_seeds, drawn)
        if not cer_theirs.all():
            raise ValueError("the baseline makes no error in a resample: a relative performance has no meaning")
        parts.append((cer_theirs - _cer(ours, lengths, drawn_seeds, own)) / cer_theirs)
    low, high = np.quantile(np.concatenate(parts), [0.025, 0.975])
    return Interval(float(low), float(high), seeds)


def by_speaker(counts: NDArray[np.int64], speakers: Sequence[str]) -> NDArray[np.int64]:
    """Returns the sum of the counts of each speaker, in the order of their names; (utterances,) -> (speakers,)."""
    names, whose = np.unique(np.array(speakers), return_inverse=True)
    return np.bincount(whose, weights=counts, minlength=len(names)).astype(np.int64)


def _drawn(random: np.random.Generator, among: int, resamples: int) -> NDArray[np.float64]:
    """Returns how often each of `among` is drawn in each resample, (resamples, among)."""
    return random.multinomial(among, np.full(among, 1 / among), size=resamples).astype(np.float64)


def _cer(
    edits: NDArray[np.int64],
    lengths: NDArray[np.int64],
    seeds: NDArray[np.float64],
    speakers: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Returns the CER of each resample. edits: (speakers, seeds). lengths: (speakers,). The draws: by resample."""
    wrong: NDArray[np.float64] = ((speakers @ edits) * seeds).sum(axis=1)
    characters: NDArray[np.float64] = (speakers @ lengths) * seeds.sum(axis=1)
    return wrong / characters
