"""Decodes a split: its CTC loss and its hypotheses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.data.batch import Batch
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.speech.beam import GREEDY, Search
from prune_rnn.speech.scores import Scores, error_rates
from prune_rnn.speech.text import BLANK


@dataclass(frozen=True, slots=True)
class Decoded:
    """A split as a network decodes it; `loss` is the CTC loss in nats, averaged over utterances."""

    loss: float
    references: list[str]
    hypotheses: list[str]

    def scores(self) -> Scores:
        """Returns the errors, counted."""
        return Scores(self.loss, *error_rates(self.references, self.hypotheses))


def ctc_loss(log_probs: Tensor, lengths: Tensor, batch: Batch) -> Tensor:
    """Returns the CTC loss in nats, summed over the utterances.

    log_probs: (frames, batch, symbols). lengths: (batch,), in output frames.
    """
    return F.ctc_loss(
        log_probs, batch.labels.to(log_probs.device), lengths, batch.label_lengths, blank=BLANK, reduction="sum"
    )


@torch.no_grad()
def decode(model: DeepSpeech2, batches: Iterable[Batch], device: torch.device, search: Search = GREEDY) -> Decoded:
    """Decodes by the search, and leaves the model in evaluation mode.

    ArithmeticError where a loss is not finite.
    """
    model.eval()
    loss, references, hypotheses = 0.0, [], []
    for batch in batches:
        log_probs = model(batch.features.to(device), batch.lengths).cpu()
        lengths = model.lengths(batch.lengths)
        own = float(ctc_loss(log_probs, lengths, batch))
        if not math.isfinite(own):
            raise ArithmeticError(f"the loss of the utterances from {batch.transcripts[0]!r} on is {own}")
        loss += own
        references += batch.transcripts
        hypotheses += search.texts(log_probs, lengths, batch.alphabet)
    return Decoded(loss / len(references), references, hypotheses)
