"""The beam finds the text whose paths are the likeliest together."""

import itertools
import math
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest
import torch

from prune_rnn.speech.beam import GREEDY, Search, SearchOptions
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
    assert Search(500).text(probabilities.log(), ALPHABET) == likeliest(probabilities)


def test_the_likeliest_path_need_not_be_the_likeliest_text() -> None:
    """Blank twice: 0.36. "a" by its three paths: 2 * 0.24 + 0.16 = 0.64."""
    log_probs = torch.tensor([[0.6, 0.0, 0.4], [0.6, 0.0, 0.4]]).log()
    assert (GREEDY.text(log_probs, ALPHABET), Search(4).text(log_probs, ALPHABET)) == ("", "a")


@pytest.mark.parametrize("size", [1, 8])
def test_each_utterance_ends_at_its_length(size: int) -> None:
    log_probs = (
        torch.tensor([[0.01, 0.01, 0.98], [0.98, 0.01, 0.01], [0.01, 0.01, 0.98]]).log()[:, None].expand(3, 2, 3)
    )
    assert Search(size).texts(log_probs, torch.tensor([3, 1]), ALPHABET) == ["aa", "a"]
    assert Search(size).texts(log_probs, torch.tensor([2, 0]), ALPHABET) == ["a", ""]


def test_a_beam_of_one_is_the_best_path() -> None:
    log_probs = torch.randn(9, 4, 3, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    lengths = torch.tensor([9, 5, 1, 7])
    assert GREEDY.texts(log_probs, lengths, ALPHABET) == [
        greedy(log_probs[:length, i], ALPHABET) for i, length in enumerate([9, 5, 1, 7])
    ]


def test_an_output_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="the network's output is not finite"):
        Search(4).text(torch.full((4, 3), float("nan")), ALPHABET)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"beam=4: fast-ctc-decode is not installed; pip install 'prune-rnn\[beam\]'"):
        SearchOptions(beam=4).search()
    assert SearchOptions().search() == GREEDY


def test_nothing_heard_is_nothing_written() -> None:
    assert Search(4).text(torch.zeros(0, 3), ALPHABET) == ""


@pytest.mark.parametrize("size", [0, -1, 1001])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"beam={size}: must be (1 or more|at most 1,000)"):
        SearchOptions(beam=size).search()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lm": Path("a.arpa")}, "--lm a.arpa: needs a beam search; give --beam 16 as well"),
        ({"lm_weight": 0.3}, "--lm-weight 0.3: has no effect without --lm FILE"),
        ({"beam": 4, "word_bonus": 0.0}, "--word-bonus 0: has no effect without --lm FILE"),
        ({"beam": 4, "lm": Path("a.arpa"), "lm_weight": 0.0}, "lm-weight=0.0: must be 0.0001 or more"),
        ({"beam": 4, "lm": Path("a.arpa"), "word_bonus": float("nan")}, "word-bonus=nan: must be -100 or more"),
    ],
)
def test_options_that_do_not_fit(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SearchOptions(**options).search()


def test_a_language_model_is_described_and_must_share_the_alphabet(tmp_path: Path) -> None:
    file = tmp_path / "a.arpa"
    file.write_text("\\1-grams:\n-1 aa\n-1 b\n-1 <s>\n\\end\\\n")
    options = SearchOptions(beam=4, lm=file)
    search = options.search()
    assert (search.weight, search.bonus) == (GREEDY.weight, GREEDY.bonus)
    assert search.describe("_ ab") == f"beam search, 4 hypotheses; {file}: 1-gram, 2 words, no others"
    assert search.describe(ALPHABET).endswith("1-gram, 1 of its 2 words, no others")
    with pytest.raises(UsageError, match="characters spell none of its words; give another file"):
        search.describe("_ x")


def test_with_a_language_model_the_text_has_its_words(tmp_path: Path) -> None:
    """The best path is "a"; the only word is "aa"."""
    (tmp_path / "a.arpa").write_text("\\1-grams:\n-1 aa\n\\end\\\n")
    log_probs = torch.tensor([[0.1, 0.1, 0.8], [0.4, 0.1, 0.5], [0.1, 0.1, 0.8]]).log()
    search = SearchOptions(beam=8, lm=tmp_path / "a.arpa").search()
    assert (GREEDY.text(log_probs, ALPHABET), search.text(log_probs, ALPHABET)) == ("a", "aa")
