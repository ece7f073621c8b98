"""The progress of a training: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm

from prune_rnn.printed import terminal
from prune_rnn.prune.masker import Masker

_LINE_SECONDS, _BAR_SECONDS = 30.0, 0.5  # between two plain lines, or two redraws of the bar


def time_left(seconds: float) -> str:
    """Returns a time in seconds, minutes or hours.

    >>> time_left(0.3), time_left(99.6), time_left(120), time_left(9000)
    ('0 s', '100 s', '2 min', '2.5 h')
    """
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7170 else f"{seconds / 3600:,.1f} h"


class Progress:
    """Epoch, step, loss, sparsity, dev CER and time left of one training run, on the error stream."""

    def __init__(self, total_steps: int, done_steps: int, epochs: int, *, silent: bool = False) -> None:
        self.total, self.first, self.epochs, self.silent = total_steps, done_steps, epochs, silent
        self.cer: float | None = None  # on dev, of the last epoch
        self.started = self.shown = time.monotonic()
        self.bar: tqdm[Any] | None = None
        if sys.stderr.isatty() and not silent:
            file = terminal(sys.stderr)
            self.bar = tqdm(file=file, total=total_steps, initial=done_steps, unit="step", dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def _due(self, at_once: bool = False) -> bool:
        """Whether it is time to show something; then also notes that time."""
        now = time.monotonic()
        due = at_once or now - self.shown >= (_BAR_SECONDS if self.bar is not None else _LINE_SECONDS)
        self.shown = now if due else self.shown
        return due and not self.silent

    def step(
        self, step: int, epoch: int, loss: float, masker: Masker, *, divergence: float | None = None, last: bool
    ) -> None:
        """Shows one more step.

        loss, divergence: from the transcripts and from a teacher, of the epoch so far, in nats per utterance. last: it
        ends the epoch.
        """
        if not self._due(last):
            return
        pruned = ", ".join(f"{layer_type} {100 * value:.1f} %" for layer_type, value in masker.sparsity().items())
        parts = [f"loss {loss:.1f}", f"pruned {pruned or '0 %'}"]
        if divergence is not None:
            parts.insert(1, f"divergence {divergence:.1f}")
        if self.cer is not None:
            parts.append(f"dev CER {100 * self.cer:.1f} %")
        if self.bar is not None:
            self.bar.set_description(f"epoch {epoch}/{self.epochs}", refresh=False)
            self.bar.set_postfix_str(", ".join(parts), refresh=False)
            self.bar.update(step - self.bar.n)
        else:
            left = time_left((self.shown - self.started) / (step - self.first) * (self.total - step))
            line = ", ".join([f"epoch {epoch}/{self.epochs}", f"step {step}/{self.total}", *parts])
            print(f"{line}, {left} left", file=sys.stderr, flush=True)

    def evaluation(self, split: str, done: int, total: int) -> None:
        """Shows that so many batches of a split are decoded."""
        if not self._due():
            return
        text = f"decoding {split}: batch {done}/{total}"
        if self.bar is not None:
            self.bar.set_postfix_str(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def epoch(self, epoch: int, cer: float) -> None:
        """Notes the dev CER of a finished epoch, as a fraction."""
        self.cer = cer
        if self.bar is None and not self.silent:
            print(f"epoch {epoch}/{self.epochs} done, dev CER {100 * cer:.1f} %", file=sys.stderr, flush=True)
