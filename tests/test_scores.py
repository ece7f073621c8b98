"""Errors are counted over the corpus, edit by edit, and spaces are characters."""

import math

import pytest
import torch
from torch import Tensor, nn

from prune_rnn.data.batch import Batch
from prune_rnn.scores import ErrorRate, ctc_loss, decode, error_rates
from prune_rnn.text import ALPHABET, encode


class Echo(nn.Module):
    """A "network" whose log-probabilities are its features; it leaves out every second frame."""

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        return features[:, :, ::2].permute(2, 0, 1).log_softmax(-1)

    def lengths(self, lengths: Tensor) -> Tensor:
        return (lengths - 1) // 2 + 1


def batch(paths: list[str], transcripts: list[str], weight: float) -> Batch:
    """Each symbol of a path is two input frames, with the logit `weight` and the other symbols' 0."""
    longest = max(map(len, paths))
    features = torch.zeros(len(paths), len(ALPHABET), 2 * longest)
    for i, path in enumerate(paths):
        for t, symbol in enumerate(path):
            features[i, ALPHABET.index(symbol), 2 * t : 2 * t + 2] = weight
    labels = [torch.tensor(encode(transcript)) for transcript in transcripts]
    return Batch(
        features,
        torch.tensor([2 * len(path) for path in paths]),
        nn.utils.rnn.pad_sequence(labels, batch_first=True),
        torch.tensor([len(label) for label in labels]),
        transcripts,
    )


@pytest.mark.parametrize(
    ("reference", "hypothesis", "cer", "wer"),
    [  # (insertions, deletions, substitutions) in characters, in words
        ("a cat", "a cat", (0, 0, 0), (0, 0, 0)),
        ("a cat", "acat", (0, 1, 0), (0, 1, 1)),  # a lost space is one character, and two words' worth of errors
        ("acat", "a cat", (1, 0, 0), (1, 0, 1)),
        ("a cat", "a bat", (0, 0, 1), (0, 0, 1)),
        ("a cat", "", (0, 5, 0), (0, 2, 0)),
        ("dog", "dogs", (1, 0, 0), (0, 0, 1)),
        ("one two", "one two two", (4, 0, 0), (1, 0, 0)),
        ("it's", "its", (0, 1, 0), (0, 0, 1)),
    ],
)
def test_edits_by_hand(reference: str, hypothesis: str, cer: tuple[int, int, int], wer: tuple[int, int, int]) -> None:
    for found, edits, length in zip(
        error_rates([reference], [hypothesis]), (cer, wer), (len(reference), len(reference.split())), strict=True
    ):
        assert found == ErrorRate(sum(edits) / length, *edits, length)


@pytest.mark.parametrize(("hypothesis", "inserted"), [(" cat", 1), ("cat ", 1), (" cat ", 2), ("c  at", 2)])
def test_spaces_at_the_ends_count_like_any_other(hypothesis: str, inserted: int) -> None:
    cer, _ = error_rates(["cat"], [hypothesis])
    assert (cer.insertions, cer.deletions, cer.substitutions) == (inserted, 0, 0)


def test_rates_are_of_the_corpus_and_not_a_mean_over_utterances() -> None:
    cer, wer = error_rates(["a", "nine letters"], ["b", "nine letters"])
    assert cer == ErrorRate(1 / 13, 0, 0, 1, 13)  # a mean over utterances would be 1/2
    assert wer == ErrorRate(1 / 3, 0, 0, 1, 3)


def test_a_rate_can_pass_one() -> None:
    cer, _ = error_rates(["a"], ["abc"])
    assert cer.rate == 2


def test_ctc_loss_sums_the_paths_of_each_utterance_and_then_the_utterances() -> None:
    """With all 29 symbols equally likely, "a" has three paths in two frames (aa, a_, _a), "ab" one, "aa" none but in
    three frames (a_a)."""
    uniform = torch.full((3, 3, 29), -math.log(29))
    given = batch(["__", "__", "___"], ["a", "ab", "aa"], 0.0)
    found = ctc_loss(uniform, torch.tensor([2, 2, 3]), given)
    wanted = -math.log(3 / 29**2) - math.log(1 / 29**2) - math.log(1 / 29**3)
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_evaluate_decodes_all_batches_and_averages_the_loss_over_utterances() -> None:
    model = Echo().train()
    batches = [batch(["cca_t", "a"], ["cat", "a"], 50.0), batch(["do_"], ["dog"], 50.0)]
    scores = decode(model, batches, torch.device("cpu")).scores()  # type: ignore[arg-type]
    assert not model.training
    assert scores.cer == ErrorRate(1 / 7, 0, 1, 0, 7)
    assert scores.wer == ErrorRate(1 / 3, 0, 0, 1, 3)
    # the first two are certain; of "dog" in the frames d, o, blank only the path "dog" is left, its g 50 nats away
    assert scores.loss == pytest.approx(50 / 3, rel=1e-4)


def test_evaluate_stops_at_each_utterances_end() -> None:
    """The padding of the shorter utterance says "a" for sure; it isn't read."""
    given = batch(["bb", "bbbb"], ["b", "b"], 50.0)
    given.features[0, :, 4:] = 0
    given.features[0, ALPHABET.index("a"), 4:] = 50
    assert decode(Echo(), [given], torch.device("cpu")).scores().cer.rate == 0  # type: ignore[arg-type]
