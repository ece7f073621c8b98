"""The search with a language model finds what all paths together give, by enumeration."""

import itertools
import math
from collections import Counter
from itertools import groupby
from typing import Any

import pytest
import torch

from prune_rnn.speech.fusion import search as timed_search
from prune_rnn.speech.ngram import Ngram

ALPHABET = "_ ab"
OPEN = Ngram(
    {
        ("<s>",): (-9.0, -0.3),
        ("</s>",): (-1.0, 0.0),
        ("a",): (-0.7, -0.2),
        ("ab",): (-1.5, 0.0),
        ("<unk>",): (-4.0, 0.0),
        ("a", "ab"): (-0.1, 0.0),
        ("<s>", "ab"): (-2.5, 0.0),
    },
    2,
)
CLOSED = Ngram({words: values for words, values in OPEN.grams.items() if words != ("<unk>",)}, 2)


def search(log_probs: torch.Tensor, *given: Any, **options: float) -> str:
    """Returns the text; it has a frame for each character, in order."""
    text, frames = timed_search(log_probs, *given, **options)
    assert len(text) == len(frames) and frames == sorted(frames) and set(frames) <= {*range(len(log_probs))}
    return text


def best(log_probs: torch.Tensor, lm: Ngram, weight: float, bonus: float) -> str:
    """Adds up all paths of each text, and its words' scores."""
    sums: Counter[str] = Counter()
    for path in itertools.product(range(len(ALPHABET)), repeat=len(log_probs)):
        text = " ".join("".join(ALPHABET[label] for label, _ in groupby(path) if label).split())
        sums[text] += math.exp(sum(float(frame[label]) for frame, label in zip(log_probs, path, strict=True)))
    scores = {}
    for text, probability in sums.items():
        score, history = math.log(probability), ("<s>",)
        for word in text.split():
            score += weight * lm.score(history, word) + bonus
            history = (word,)
        scores[text] = score + weight * lm.score(history, "</s>")
    return max(scores, key=scores.__getitem__)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("lm", [OPEN, CLOSED])
@pytest.mark.parametrize(("weight", "bonus"), [(0.5, 0.0), (1.5, 2.0)])
def test_a_wide_beam_finds_the_best_of_all_texts(seed: int, lm: Ngram, weight: float, bonus: float) -> None:
    log_probs = (2 * torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))).log_softmax(-1)
    found = search(log_probs, ALPHABET, 5000, lm, weight=weight, bonus=bonus, least=1e-9)
    assert found == best(log_probs, lm, weight, bonus)


def test_only_whole_words_of_a_closed_vocabulary() -> None:
    """The network writes "ba b"; the words are a and ab."""
    path = [3, 2, 1, 3, 0]
    log_probs = torch.full((5, 4), 0.05).scatter(1, torch.tensor(path)[:, None], 0.85).log()
    for beam in (1, 2, 8, 64):
        words = search(log_probs, ALPHABET, beam, CLOSED, weight=0.5, bonus=0.0, least=1e-4).split()
        assert set(words) <= {"a", "ab"}
    assert words == ["a"]


@pytest.mark.parametrize("lm", [OPEN, CLOSED])
@pytest.mark.parametrize("seed", range(5))
def test_settled_words_change_nothing(lm: Ngram, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    log_probs = (3 * torch.randn(80, 4, generator=torch.Generator().manual_seed(seed))).log_softmax(-1)
    texts = []
    for frames in (1, 7, 1000):
        monkeypatch.setattr("prune_rnn.speech.fusion._SETTLED", frames)
        texts.append(search(log_probs, ALPHABET, 8, lm, weight=0.5, bonus=1.0, least=1e-4))
    assert texts[0] == texts[1] == texts[2] and len(texts[0].split()) > 3


def test_a_bonus_makes_more_words() -> None:
    log_probs = torch.tensor([[0.2, 0.1, 0.6, 0.1], [0.3, 0.4, 0.2, 0.1], [0.2, 0.1, 0.6, 0.1]]).log()
    few, many = (search(log_probs, ALPHABET, 100, OPEN, weight=0.1, bonus=b, least=1e-4) for b in (-9.0, 9.0))
    assert (few, many) == ("", "a a")


def test_no_frames_are_no_text() -> None:
    assert search(torch.zeros(0, 4), ALPHABET, 4, OPEN, weight=0.5, bonus=0.0, least=1e-4) == ""


@pytest.mark.parametrize("settled", [1, 3, 1000])
def test_a_character_has_the_frame_in_which_it_is_most_probable(settled: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`a` begins in frame 1 and is most probable in 2, `b` in 3; after the space comes `a` in frame 6."""
    monkeypatch.setattr("prune_rnn.speech.fusion._SETTLED", settled)
    best = [(0, 0.9), (2, 0.5), (2, 0.9), (3, 0.8), (0, 0.9), (1, 0.7), (2, 0.9), (2, 0.6), (0, 0.9)]
    log_probs = torch.tensor([[p if label == of else (1 - p) / 3 for label in range(4)] for of, p in best]).log()
    found = timed_search(log_probs, ALPHABET, 8, OPEN, weight=0.1, bonus=0.0, least=1e-4)
    assert found == ("ab a", [2, 3, 5, 6])
