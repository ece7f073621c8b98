"""Distillation: a network learns a trained one's output at each frame, beside the transcripts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from prune_rnn.model.deepspeech2 import DeepSpeech2


class Teacher:
    """A trained network, in evaluation mode and without gradients.

    The loss of a batch is CTC + weight T^2 KL, in nats averaged over utterances, with

        KL = sum over frames, sum over symbols k of p_k (log p_k - log s_k),

    p and s being the teacher's and the student's posteriors at temperature T: softmax(logits / T). T^2 keeps the size
    of its gradient. All frames count, blank ones too.

    Sources: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", section 2 (T^2, two weighted losses);
    Kurata and Audhkhasi 2019, "Guiding CTC Posterior Spike Timings for Improved Posterior Fusion and Knowledge
    Distillation" (KL at each frame of CTC networks).
    """

    def __init__(self, model: DeepSpeech2, weight: float, temperature: float) -> None:
        self.model, self.weight, self.temperature = model.eval().requires_grad_(False), weight, temperature

    def divergence(self, features: Tensor, lengths: Tensor, log_probs: Tensor) -> Tensor:
        """Returns T^2 KL in nats, summed over frames and utterances.

        Args:
            features, lengths: as `DeepSpeech2.forward` takes them.
            log_probs: the student's, (frames, batch, symbols); zero past each utterance's end, as the teacher's are.
        """
        with torch.no_grad():
            wanted = self._softened(self.model(features, lengths))
        return self.temperature**2 * F.kl_div(self._softened(log_probs), wanted, reduction="sum", log_target=True)

    def _softened(self, log_probs: Tensor) -> Tensor:
        return log_probs if self.temperature == 1 else (log_probs / self.temperature).log_softmax(-1)
