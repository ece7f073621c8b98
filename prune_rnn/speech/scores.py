"""The errors of hypotheses, counted over a corpus: CER (spaces count) and WER."""

from __future__ import annotations

from dataclasses import dataclass

import jiwer


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Edits that turn the hypotheses into the references. rate = (insertions + deletions + substitutions) / length."""

    rate: float
    insertions: int
    deletions: int
    substitutions: int
    length: int  # of all references, in characters or words


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one split; `loss` is the CTC loss in nats, averaged over utterances."""

    loss: float
    cer: ErrorRate
    wer: ErrorRate


def error_rates(references: list[str], hypotheses: list[str]) -> tuple[ErrorRate, ErrorRate]:
    """Returns (CER, WER) over all pairs together; no reference may be empty.

    >>> cer, wer = error_rates(["a cat", "dog"], ["acat", "dogs"])
    >>> cer.rate, cer.deletions, cer.insertions, wer.substitutions
    (0.25, 1, 1, 2)
    """
    # jiwer's own transforms strip the ends: a space there is an error like any other
    each = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])
    characters = jiwer.process_characters(references, hypotheses, each, each)
    words = jiwer.process_words(references, hypotheses)
    return tuple(
        ErrorRate(rate, o.insertions, o.deletions, o.substitutions, o.hits + o.deletions + o.substitutions)
        for rate, o in ((characters.cer, characters), (words.wer, words))
    )  # type: ignore[return-value]
