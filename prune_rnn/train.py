"""The training loop: model, batches, optimizer, masker. Knows no Hydra and no disk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import nn

from prune_rnn import cpu, distributed
from prune_rnn.data.batch import Batch, Utterance, epoch_order
from prune_rnn.evaluate import ctc_loss
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.prune.masker import Masker
from prune_rnn.schema import option
from prune_rnn.typed import Plain
from prune_rnn.usage import within

_RANGES = (
    ("epochs", 1, 1_000_000),
    ("batch_size", 1, 1_000_000),
    ("steps_per_epoch", 1, 10_000_000),
    ("load_workers", 0, 256),
)
_POWERS = 700.0  # of e that the learning rate may fall or rise by: past 709 it is no float
_CHECK_EVERY = 100  # steps between checks that masked weights are zero


class Precision(Enum):
    """The type of the matrix products outside the time loop; weights and the loop stay float32."""

    auto = "auto"  # bfloat16 where the device multiplies it in hardware, else float32
    float32 = "float32"
    bfloat16 = "bfloat16"

    @property
    def identity(self) -> str:
        """What it is in a run's identity: `auto` is one experiment on every machine, and is named as bfloat16."""
        return Precision.bfloat16.name if self is Precision.auto else self.name

    def on(self, device: torch.device) -> Precision:
        """Returns the type that products have on the device: float32 or bfloat16."""
        if self is not Precision.auto:
            return self
        if device.type == "cuda":
            hardware = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            hardware = device.type == "cpu" and cpu.multiplies_bfloat16()
        return Precision.bfloat16 if hardware else Precision.float32


@dataclass(kw_only=True, slots=True)
class TrainConfig:
    """Nesterov SGD on the CTC loss, as in Deep Speech 2, section 3.8; what depends on the scale comes from there."""

    epochs: int = option("epochs, 1 or more")
    batch_size: int = option("utterances per batch, over all processes")
    steps_per_epoch: int | None = option("optimizer steps per epoch; null: one pass over all batches", None)
    # for the loss in nats averaged over utterances
    learning_rate: float = option("learning rate of the first epoch, above 0")
    hold_epochs: float = option("epochs before the learning rate begins to fall", 1.0)
    anneal: float = option("after that, the learning rate is divided by this after each epoch")
    momentum: float = option("Nesterov momentum, between 0 and 1")
    # AutoClip: Seetharaman et al. 2020. With both limits the lower one counts.
    clip: float | None = option("limit of the gradient's norm; null: none", 400.0)
    clip_percentile: float | None = option("the same, as a percentile of all norms so far (AutoClip); null: none", None)
    precision: Precision = option("matrix products outside the time loop", Precision.float32)
    load_workers: int = option("processes that read audio; 0: the one that trains", 0, identity=False)
    checkpoint_minutes: float = option("minutes between checkpoints within an epoch", 5.0, identity=False)

    def check(self) -> None:
        """Raises ValueError where a number is out of its range."""
        for key, low, most in _RANGES:
            within(f"train.{key}", getattr(self, key), low, most)
        for key in ("learning_rate", "anneal", "clip", "checkpoint_minutes"):
            value = getattr(self, key)
            if not (value is None or 0 < value < float("inf")):
                raise ValueError(f"train.{key}={value}: must be above 0")
        if self.clip_percentile is not None and not 0 < self.clip_percentile <= 100:
            raise ValueError(f"train.clip_percentile={self.clip_percentile}: must be above 0 and at most 100")
        if not 0 <= self.hold_epochs < float("inf"):
            raise ValueError(f"train.hold_epochs={self.hold_epochs}: must be 0 or more")
        if not 0 < self.momentum < 1:
            raise ValueError(f"train.momentum={self.momentum}: must lie between 0 and 1 (Nesterov needs some)")
        powers = abs(math.log(self.anneal)) * max(0.0, self.epochs - max(1.0, self.hold_epochs))
        if powers > _POWERS:
            raise ValueError(
                f"train.anneal={self.anneal}: over train.epochs={self.epochs} the learning rate leaves the range of "
                "numbers; give a number nearer to 1"
            )


class Trainer:
    """Trains epoch by epoch; `state_dict` between any two steps is enough to go on exactly as if nothing had happened.

    load: reads groups of utterances into batches, in order.
    """

    _POSITION = ("epoch", "position", "step", "loss_sum", "utterances", "seconds", "norms")

    def __init__(
        self,
        model: DeepSpeech2,
        masker: Masker,
        config: TrainConfig,
        groups: Sequence[Sequence[Utterance]],
        load: Callable[[Sequence[Sequence[Utterance]]], Iterator[Batch]],
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self.model, self.masker, self.config = model, masker, config
        self.groups, self.load, self.seed, self.device = groups, load, seed, device
        self.precision = config.precision.on(device)
        self.network: nn.Module = distributed.wrap(model)
        self.optimizer = torch.optim.SGD(
            model.parameters(), config.learning_rate, momentum=config.momentum, nesterov=True
        )
        self.epoch, self.position, self.step = 1, 0, 0  # the epoch under way (from 1), its batches done, all steps done
        self.loss_sum, self.utterances, self.seconds = 0.0, 0, 0.0  # of the epoch under way
        self.norms: list[float] = []  # of all gradients so far

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps per epoch."""
        return self.config.steps_per_epoch or len(self.groups)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch > self.config.epochs

    @property
    def learning_rate(self) -> float:
        """Of the epoch under way."""
        falls: float = max(0.0, self.epoch - max(1.0, self.config.hold_epochs))
        return float(self.config.learning_rate / self.config.anneal**falls)

    @property
    def train_loss(self) -> float:
        """The loss in nats, averaged over the epoch's utterances so far."""
        return self.loss_sum / max(1, self.utterances)

    def steps(self) -> Iterator[float]:
        """Does the rest of the epoch, one optimizer step per item; yields the loss in nats, averaged over the batch.

        ArithmeticError where loss or gradient is not finite: the weights are then those of the step before.
        """
        order = epoch_order(len(self.groups), self.seed, self.epoch, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        started = time.perf_counter()
        left = order[self.position :]
        for index, batch in zip(left, self.load([self.groups[i] for i in left]), strict=True):
            loss = self.one_step(batch, index)
            self.position += 1
            self.loss_sum += loss * len(batch.transcripts)
            self.utterances += len(batch.transcripts)
            self.seconds += time.perf_counter() - started
            yield loss
            started = time.perf_counter()
        self.masker.check()

    def next_epoch(self) -> None:
        """Moves on to the next epoch, once `steps` is exhausted."""
        self.epoch, self.position = self.epoch + 1, 0
        self.loss_sum, self.utterances, self.seconds = 0.0, 0, 0.0

    def one_step(self, batch: Batch, index: int) -> float:
        """Does one optimizer step on batch number `index` and returns its loss, as `steps` yields it."""
        self.model.train()
        total = len(batch.transcripts)
        batch = batch.part(distributed.rank(), distributed.world())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision is Precision.bfloat16):
            log_probs = self.network(batch.features.to(self.device), batch.lengths)
        # the processes' gradients are averaged: times their number, the loss is the whole batch's mean
        loss = ctc_loss(log_probs, self.model.lengths(batch.lengths), batch) / total
        self.optimizer.zero_grad()
        (loss * distributed.world()).backward()
        self.masker.mask_gradients(self.step + 1)
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        mean = distributed.all_reduce_sum(float(loss.detach()))
        if not (torch.isfinite(norm) and abs(mean) < float("inf")):
            raise ArithmeticError(
                f"step {self.step + 1} (epoch {self.epoch}, batch {index} of {len(self.groups)}, from "
                f"{self.groups[index][0].audio.name} on): loss {mean:.4g}, gradient norm {float(norm):.4g}; "
                f"try a smaller train.learning_rate than {self.config.learning_rate}"
            )
        self.norms.append(float(norm))
        nn.utils.clip_grads_with_norm_(self.model.parameters(), self._clip(), norm)
        self.optimizer.step()
        self.step += 1
        self.masker.after_step(self.step)
        if self.step % _CHECK_EVERY == 0:
            self.masker.check()
        return mean

    def _clip(self) -> float:
        """Returns the limit of the gradient's norm for the step under way, whose norm is the last in `norms`."""
        limits = [self.config.clip] if self.config.clip is not None else []
        if self.config.clip_percentile is not None:
            limits.append(float(np.percentile(self.norms, self.config.clip_percentile)))
        return min(limits, default=float("inf"))

    def state_dict(self) -> Plain:
        """Returns weights, masks, optimizer, random state and position. The data order follows from seed and epoch."""
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        return {
            "model": self.model.state_dict(),
            "masker": self.masker.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": {"cpu": torch.get_rng_state(), "cuda": cuda},
            "position": {k: copy(getattr(self, k)) for k in self._POSITION},
        }

    def load_state_dict(self, state: Plain) -> None:
        """Restores what `state_dict` returned; raises one of MISFITS for any other value."""
        self.model.load_state_dict(state["model"])
        self.masker.load_state_dict(state["masker"])
        self.optimizer.load_state_dict(state["optimizer"])
        for parameter, kept in self.optimizer.state.items():
            if kept["momentum_buffer"].shape != parameter.shape:
                raise ValueError("the momentum is that of another network")
        torch.set_rng_state(state["rng"]["cpu"])
        if self.device.type == "cuda" and state["rng"]["cuda"] is not None:
            torch.cuda.set_rng_state(state["rng"]["cuda"], self.device)
        for key in self._POSITION:
            setattr(self, key, copy(state["position"][key]))
        if self.step != (self.epoch - 1) * self.steps_per_epoch + self.position:
            raise ValueError(f"step {self.step} is not in epoch {self.epoch}")
