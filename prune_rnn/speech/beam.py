"""Beam search over a network's output, without a language model: the text with the most probable paths in total."""

from __future__ import annotations

from torch import Tensor

from prune_rnn.speech.text import greedy
from prune_rnn.usage import BEAM, check_installed, within

_LEAST = 1e-4  # symbols below this probability are passed over


def check(beam: int) -> None:
    """Raises UsageError unless it is a number of hypotheses and the package for the search is installed."""
    within("beam", beam, 1, BEAM)
    if beam > 1:
        check_installed(f"beam={beam}", "fast-ctc-decode", "beam")


def text(log_probs: Tensor, alphabet: str, beam: int = 1) -> str:
    """Returns the text of one utterance; with a beam of 1, the text of the best path.

    log_probs: (frames, symbols). beam: hypotheses that each frame continues. ValueError where a number is not finite.
    Source: Graves et al. 2006, section 3.2.

    >>> import torch
    >>> log_probs = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()
    >>> text(log_probs, "_a"), text(log_probs, "_a", beam=4)  # 0.36 for the best path, 0.64 for the paths of "a"
    ('', 'a')
    """
    if beam == 1:
        return greedy(log_probs, alphabet)
    probabilities = log_probs.float().exp()
    if not probabilities.isfinite().all():
        raise ValueError("the network's output is not finite: its weights or the recording are damaged")
    from fast_ctc_decode import beam_search

    least = min(_LEAST, 0.5 / len(alphabet))
    found: str = beam_search(probabilities.numpy(), alphabet, beam_size=beam, beam_cut_threshold=least)[0]
    return found


def texts(log_probs: Tensor, lengths: Tensor, alphabet: str, beam: int = 1) -> list[str]:
    """Returns the text of each utterance. log_probs: (frames, batch, symbols). lengths: (batch,), in frames."""
    each = zip(log_probs.cpu().unbind(1), lengths.tolist(), strict=True)
    return [text(own[:length], alphabet, beam) for own, length in each]
