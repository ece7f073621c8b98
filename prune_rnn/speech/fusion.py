"""Beam search with a language model of words: CTC prefix search and shallow fusion."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from itertools import accumulate
from os.path import commonprefix

from torch import Tensor

from prune_rnn.speech.ngram import BEGIN, END, Ngram, Words
from prune_rnn.speech.text import BLANK

_NEVER = -math.inf
_SETTLED = 100  # frames; this often, words that all texts share are cut off, so that texts stay short
_Paths = dict[str, list[float]]  # text: log-probabilities of its paths that end with a blank, and of the others
_Frames = tuple[int, ...]  # of each character of a text
_Times = dict[str, tuple[_Frames, float]]  # text: its frames, and the log-probability of its last character there


@dataclass(frozen=True, slots=True)
class _Scorer:
    """Scores the texts of one utterance by a language model."""

    lm: Ngram
    weight: float
    bonus: float
    before: Words = (BEGIN,)  # the last words before the texts
    known: dict[str, tuple[Words, float]] = field(default_factory=dict)  # whole words: the last ones, and their score

    def score(self, text: str) -> float:
        """Returns the score of a text whose last word may go on; it counts as unknown if it begins no known word."""
        whole, space, last = text.rpartition(" ")
        fits = last in self.lm.beginnings
        return self._whole(whole + space)[1] + (0.0 if fits else self.weight * self.lm.unknown)

    def final(self, text: str) -> float:
        """Returns the score of a whole text."""
        history, score = self._whole(f"{text} " if text else "")
        return score + (self.weight * self.lm.score(history, END) if (END,) in self.lm.grams else 0.0)

    def last_words(self, text: str) -> Words:
        """Returns the last words of a whole text."""
        return self._whole(f"{text} ")[0]

    def _whole(self, text: str) -> tuple[Words, float]:
        """Returns the last words, and the score of all. text: empty, or ends with a space."""
        if not text:
            return self.before, 0.0
        if text not in self.known:
            before, space, word = text[:-1].rpartition(" ")
            history, score = self._whole(before + space)
            score += self.weight * self.lm.score(history, word) + self.bonus
            self.known[text] = (*history, word)[-self.lm.order :], score
        return self.known[text]


def search(
    log_probs: Tensor, alphabet: str, beam: int, lm: Ngram, *, weight: float, bonus: float, least: float
) -> tuple[str, list[int]]:
    """Returns the text with the greatest log-probability of all its paths plus the score of its words, and its frames.

    log_probs: (frames, symbols). beam: texts that each frame continues. weight: above 0, times the language model's
    log-probability of each word. bonus: for each word, in nats; without one short texts win. least: symbols below this
    probability are passed over. The text has single spaces, none at its ends. The frame of a character is that in which
    it is most probable. Where the model allows none of the last texts, a last word that is not whole is dropped.
    Source: Hannun et al. 2014 (1408.2873), algorithm 1.
    """
    threshold = math.log(least)
    scorer, settled, settled_frames = _Scorer(lm, weight, bonus), "", list[int]()
    kept: _Paths = {"": [0.0, _NEVER]}
    scores, times = {"": 0.0}, _Times({"": ((), 0.0)})
    for number, frame in enumerate(log_probs.tolist()):
        symbols = [(alphabet[i], p) for i, p in enumerate(frame) if i != BLANK and p > threshold]
        paths: _Paths = {}
        before_it, times = times, dict(times)
        for text, (blank, other) in kept.items():
            both = _add(blank, other)
            _to(paths, text, 0, both + frame[BLANK])
            frames = before_it[text][0]
            for symbol, probability in symbols:
                repeated = symbol == text[-1:]
                before = blank if repeated else both
                if repeated:
                    _to(paths, text, 1, other + probability)
                    if probability > times[text][1]:
                        times[text] = (*frames[:-1], number), probability
                if symbol == " " and text[-1:] in ("", " "):
                    _to(paths, text, 0, before + probability)
                else:
                    longer = text + symbol
                    _to(paths, longer, 1, before + probability)
                    if longer not in times or probability > times[longer][1]:
                        times[longer] = (*frames, number), probability
        scores = {text: scores[text] if text in scores else scorer.score(text) for text in paths}
        ranked = ((_add(*ends) + scores[text], text) for text, ends in paths.items() if scores[text] > _NEVER)
        kept = {text: paths[text] for _, text in heapq.nlargest(beam, ranked)}
        times = {text: times[text] for text in kept}
        if (number + 1) % _SETTLED == 0 and (shared := commonprefix(list(kept)).rpartition(" ")[0]):  # noqa: RUF071
            end = len(shared) + 1
            settled += f"{shared} "
            settled_frames += next(iter(times.values()))[0][:end]
            scorer = _Scorer(lm, weight, bonus, scorer.last_words(shared))
            kept = {text[end:]: ends for text, ends in kept.items()}
            scores, times = {}, {text[end:]: (frames[end:], last) for text, (frames, last) in times.items()}
    whole: _Paths = {}
    for text, ends in kept.items():
        _to(whole, text.rstrip(" "), 0, _add(*ends))
    value, last = max((_add(*ends) + scorer.final(text), text) for text, ends in whole.items())
    if value == _NEVER:
        last, _, _ = next(iter(kept)).rpartition(" ")
    kept_as = min((text for text in kept if text.startswith(last)), key=len)  # with a space at its end, or without
    found = (settled + last).rstrip(" ")
    in_order = accumulate([*settled_frames, *times[kept_as][0]], max)  # settled ones may be of another text
    return found, list(in_order)[: len(found)]


def _to(paths: _Paths, text: str, end: int, value: float) -> None:
    ends = paths.setdefault(text, [_NEVER, _NEVER])
    ends[end] = _add(ends[end], value)


def _add(one: float, other: float) -> float:
    """Returns the logarithm of the sum of two probabilities given by their logarithms."""
    low, high = (one, other) if one < other else (other, one)
    return high if low == _NEVER else high + math.log1p(math.exp(low - high))
