"""How a network's output becomes text: the best path, beam search, and beam search with a language model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from prune_rnn.speech.fusion import search
from prune_rnn.speech.ngram import Ngram, read_arpa
from prune_rnn.speech.text import greedy, unknown_characters
from prune_rnn.usage import BEAM, UsageError, check_installed, within

_LEAST = 1e-4  # symbols below this probability are passed over
_LIGHTEST, _MOST = 1e-4, 100  # of a weight; of a weight and a bonus


@dataclass(frozen=True, slots=True)
class Search:
    """How the text of an utterance is found.

    beam: hypotheses that each frame continues; 1: the best path. lm: a language model of words, of the file `path`.
    weight: of its log-probabilities. bonus: of each word, in nats.
    """

    beam: int = 1
    lm: Ngram | None = None
    path: Path | None = None
    weight: float = 0.5
    bonus: float = 1.0

    def text(self, log_probs: Tensor, alphabet: str) -> str:
        """Returns the text of one utterance.

        log_probs: (frames, symbols). ValueError where a number is not finite. Source: Graves et al. 2006, section 3.2.

        >>> import torch
        >>> log_probs = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()
        >>> Search().text(log_probs, "_a"), Search(4).text(log_probs, "_a")  # best path 0.36, the paths of "a" 0.64
        ('', 'a')
        """
        if self.beam == 1:
            return greedy(log_probs, alphabet)
        if self.lm:
            return self.timed(log_probs, alphabet)[0]
        from fast_ctc_decode import beam_search

        probabilities, least = _probabilities(log_probs).numpy(), _least(alphabet)
        found: str = beam_search(probabilities, alphabet, beam_size=self.beam, beam_cut_threshold=least)[0]
        return found

    def timed(self, log_probs: Tensor, alphabet: str) -> tuple[str, list[int]]:
        """Returns the same text and the frame of each character, of a search with a language model."""
        assert self.lm is not None
        _probabilities(log_probs)
        least = _least(alphabet)
        return search(log_probs, alphabet, self.beam, self.lm, weight=self.weight, bonus=self.bonus, least=least)

    def texts(self, log_probs: Tensor, lengths: Tensor, alphabet: str) -> list[str]:
        """Returns the text of each utterance. log_probs: (frames, batch, symbols). lengths: (batch,), in frames."""
        each = zip(log_probs.cpu().unbind(1), lengths.tolist(), strict=True)
        return [self.text(own[:length], alphabet) for own, length in each]

    def describe(self, alphabet: str) -> str:
        """Returns the search in words; "" for the best path.

        UsageError where the network's alphabet spells no word of the language model.
        """
        if self.beam == 1:
            return ""
        beam = f"beam search, {self.beam} hypotheses"
        if self.lm is None:
            return beam
        words = self.lm.vocabulary
        spelt = sum(not unknown_characters(word, alphabet) for word in words)
        if not spelt:
            raise UsageError(f"--lm {self.path}: the network's characters spell none of its words; give another file")
        known = f"{spelt:,} of its {len(words):,} words" if spelt < len(words) else f"{spelt:,} words"
        return f"{beam}; {self.path}: {self.lm.order}-gram, {known}{'' if self.lm.open else ', no others'}"


def _probabilities(log_probs: Tensor) -> Tensor:
    """Returns the probabilities; ValueError where one is not finite."""
    if not (probabilities := log_probs.float().exp()).isfinite().all():
        raise ValueError("the network's output is not finite: its weights or the recording are damaged")
    return probabilities


def _least(alphabet: str) -> float:
    return min(_LEAST, 0.5 / len(alphabet))


GREEDY = Search()


@dataclass(kw_only=True, slots=True)
class SearchOptions:
    """The options of a search, as commands have them. lm: an ARPA file."""

    beam: int = 1
    lm: Path | None = None
    lm_weight: float | None = None  # None: Search's
    word_bonus: float | None = None

    def search(self) -> Search:
        """Returns the search; UsageError for a wrong option, ValueError and OSError for the language model's file."""
        within("beam", self.beam, 1, BEAM)
        own = {"lm-weight": self.lm_weight, "word-bonus": self.word_bonus}
        within("lm-weight", self.lm_weight, _LIGHTEST, _MOST)
        within("word-bonus", self.word_bonus, -_MOST, _MOST)
        if self.lm is None:
            if self.beam > 1:
                check_installed(f"beam={self.beam}", "fast-ctc-decode", "beam")
            if given := [name for name, value in own.items() if value is not None]:
                raise UsageError(f"--{given[0]} {own[given[0]]:g}: has no effect without --lm FILE; give both")
            return Search(self.beam)
        if self.beam == 1:
            raise UsageError(f"--lm {self.lm}: needs a beam search; give --beam 16 as well")
        weight = GREEDY.weight if self.lm_weight is None else self.lm_weight
        bonus = GREEDY.bonus if self.word_bonus is None else self.word_bonus
        return Search(self.beam, read_arpa(self.lm), self.lm, weight, bonus)
