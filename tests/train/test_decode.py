"""A split's loss is the mean over its utterances, and its text is decoded from the network's output."""

import math

import pytest
import torch
from torch import Tensor, nn

from prune_rnn.data.batch import Batch
from prune_rnn.speech.scores import ErrorRate
from prune_rnn.speech.text import ALPHABET, encode
from prune_rnn.train.decode import ctc_loss, decode


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
