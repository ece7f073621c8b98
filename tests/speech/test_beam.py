"""The beam finds the text whose paths are the likeliest together."""

import itertools
import math
from collections import Counter
from itertools import groupby

import pytest
import torch

from prune_rnn.speech import beam
from prune_rnn.speech.text import greedy
from prune_rnn.usage import UsageError

ALPHABET = "_ a"


def likeliest(probabilities: torch.Tensor) -> str:
    """Adds up all paths of each text."""
    sums: Counter[str] = Counter()
    for path in itertools.product(range(len(ALPHABET)), repeat=len(probabilities)):
        text = "".join(ALPHABET[label] for label, _ in groupby(path) if label)
        sums[text] += math.prod(float(frame[label]) for frame, label in zip(probabilities, path, strict=True))
    return max(sums, key=sums.__getitem__)


@pytest.mark.parametrize("seed", range(20))
def test_a_wide_beam_finds_what_all_paths_give(seed: int) -> None:
    probabilities = torch.randn(6, 3, generator=torch.Generator().manual_seed(seed)).softmax(-1)
    assert beam.text(probabilities.log(), ALPHABET, beam=500) == likeliest(probabilities)


def test_the_likeliest_path_need_not_be_the_likeliest_text() -> None:
    """Blank twice: 0.36. "a" by its three paths: 2 * 0.24 + 0.16 = 0.64."""
    log_probs = torch.tensor([[0.6, 0.0, 0.4], [0.6, 0.0, 0.4]]).log()
    assert (beam.text(log_probs, ALPHABET), beam.text(log_probs, ALPHABET, 4)) == ("", "a")


@pytest.mark.parametrize("size", [1, 8])
def test_each_utterance_ends_at_its_length(size: int) -> None:
    log_probs = (
        torch.tensor([[0.01, 0.01, 0.98], [0.98, 0.01, 0.01], [0.01, 0.01, 0.98]]).log()[:, None].expand(3, 2, 3)
    )
    assert beam.texts(log_probs, torch.tensor([3, 1]), ALPHABET, size) == ["aa", "a"]
    assert beam.texts(log_probs, torch.tensor([2, 0]), ALPHABET, size) == ["a", ""]


def test_a_beam_of_one_is_the_best_path() -> None:
    log_probs = torch.randn(9, 4, 3, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    lengths = torch.tensor([9, 5, 1, 7])
    assert beam.texts(log_probs, lengths, ALPHABET) == [
        greedy(log_probs[:length, i], ALPHABET) for i, length in enumerate([9, 5, 1, 7])
    ]


def test_an_output_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="the network's output is not finite"):
        beam.text(torch.full((4, 3), float("nan")), ALPHABET, 4)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"beam=4: fast-ctc-decode is not installed; pip install 'prune-rnn\[beam\]'"):
        beam.check(4)
    beam.check(1)


def test_nothing_heard_is_nothing_written() -> None:
    assert beam.text(torch.zeros(0, 3), ALPHABET, 4) == ""


@pytest.mark.parametrize("size", [0, -1, 1001])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"beam={size}: must be (1 or more|at most 1,000)"):
        beam.check(size)
