"""The training loop: model, batches, optimizer, masker. Knows no Hydra and no disk."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy

import numpy as np
import torch
from torch import nn

from prune_rnn.data import augment
from prune_rnn.data.batch import Batch, Utterance, epoch_order
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.prune.masker import Masker
from prune_rnn.train import distributed
from prune_rnn.train.average import Average
from prune_rnn.train.decode import ctc_loss
from prune_rnn.train.distil import Teacher
from prune_rnn.train.recipe import Precision, TrainConfig
from prune_rnn.typed import Plain

_CHECK_EVERY = 100  # steps between checks that masked weights are zero
Groups = list[list[Utterance]]  # each a batch
Load = Callable[[Sequence[Sequence[Utterance]]], Iterator[Batch]]  # reads each group, in order


class Trainer:
    """Trains epoch by epoch; `state_dict` between any two steps is enough to go on exactly as if nothing had happened.

    teacher: adds its part to the CTC loss; it is no part of the state.
    """

    _POSITION = ("epoch", "position", "step", "loss_sum", "divergence_sum", "utterances", "seconds", "norms")

    def __init__(
        self,
        model: DeepSpeech2,
        masker: Masker,
        config: TrainConfig,
        groups: Groups,
        load: Load,
        *,
        seed: int,
        device: torch.device,
        teacher: Teacher | None = None,
    ) -> None:
        self.model, self.masker, self.config, self.teacher = model, masker, config, teacher
        self.groups, self.load, self.seed, self.device = groups, load, seed, device
        self.average = None if config.average is None else Average(config.average)
        self.precision = config.precision.on(device)
        self.network: nn.Module = distributed.wrap(model)
        self.optimizer = torch.optim.SGD(
            model.parameters(), config.learning_rate, momentum=config.momentum, nesterov=True
        )
        self.epoch, self.position, self.step = 1, 0, 0  # the epoch under way (from 1), its batches done, all steps done
        self.loss_sum, self.divergence_sum, self.utterances, self.seconds = 0.0, 0.0, 0, 0.0  # of the epoch under way
        self.norms: list[float] = []  # of all gradients so far

    @property
    def tested(self) -> DeepSpeech2:
        """The network whose weights are tested and kept: the averaged one where there is one yet."""
        return self.model if self.average is None or self.average.model is None else self.average.model

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
    def frames(self) -> int:
        """Feature frames of the utterances of the epoch under way, at their own speed."""
        return sum(utterance.frames for index in self._order() for utterance in self.groups[index])

    def _order(self) -> list[int]:
        return epoch_order(len(self.groups), self.seed, self.epoch, self.steps_per_epoch)

    @property
    def train_loss(self) -> float:
        """The CTC loss in nats, averaged over the epoch's utterances so far."""
        return self.loss_sum / max(1, self.utterances)

    @property
    def divergence(self) -> float | None:
        """The divergence from the teacher, likewise; None without one."""
        return None if self.teacher is None else self.divergence_sum / max(1, self.utterances)

    def steps(self) -> Iterator[float]:
        """Does the rest of the epoch, one optimizer step per item; yields the CTC loss in nats, a mean over the batch.

        ArithmeticError where loss or gradient is not finite: the weights are then those of the step before.
        """
        order = self._order()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        started = time.perf_counter()
        left = order[self.position :]
        speeds = self.config.speeds
        groups = [augment.sped(self.groups[i], speeds, self._draws("speed", n)) for n, i in enumerate(left, 1)]
        for index, batch in zip(left, self.load(groups), strict=True):
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
        self.loss_sum, self.divergence_sum, self.utterances, self.seconds = 0.0, 0.0, 0, 0.0

    def one_step(self, batch: Batch, index: int) -> float:
        """Does one optimizer step on batch number `index` and returns its loss, as `steps` yields it."""
        self.model.train()
        total = len(batch.transcripts)
        batch = augment.masked(batch, self.config.masks, self._draws("masks", 1))
        batch = batch.part(distributed.rank(), distributed.world())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision is Precision.bfloat16):
            features = batch.features.to(self.device)
            log_probs = self.network(features, batch.lengths)
            apart = (
                None if self.teacher is None else self.teacher.divergence(features, batch.lengths, log_probs) / total
            )
        # the processes' gradients are averaged: times their number, the loss is the whole batch's mean
        loss = objective = ctc_loss(log_probs, self.model.lengths(batch.lengths), batch) / total
        if self.teacher is not None and apart is not None:
            objective = loss + self.teacher.weight * apart
            self.divergence_sum += distributed.all_reduce_sum(float(apart.detach())) * total
        self.optimizer.zero_grad()
        (objective * distributed.world()).backward()
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
        if self.average is not None and self.masker.done(self.step):
            self.average.update(self.model)
        if self.step % _CHECK_EVERY == 0:
            self.masker.check()
        return mean

    def _draws(self, what: str, ahead: int) -> random.Random:
        """Returns the random numbers of the step that lies so many ahead: the same wherever training goes on from."""
        return random.Random(f"{self.seed}/{what}/{self.step + ahead}")

    def _clip(self) -> float:
        """Returns the limit of the gradient's norm for the step under way, whose norm is the last in `norms`."""
        limits = [self.config.clip] if self.config.clip is not None else []
        if self.config.clip_percentile is not None:
            limits.append(float(np.percentile(self.norms, self.config.clip_percentile)))
        return min(limits, default=float("inf"))

    def state_dict(self) -> Plain:
        """Returns weights, their average, masks, optimizer, random state and position.

        The data order follows from seed and epoch.
        """
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        return {
            "model": self.model.state_dict(),
            **({} if self.tested is self.model else {"average": self.tested.state_dict()}),
            "masker": self.masker.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": {"cpu": torch.get_rng_state(), "cuda": cuda},
            "position": {k: copy(getattr(self, k)) for k in self._POSITION},
        }

    def load_state_dict(self, state: Plain) -> None:
        """Restores what `state_dict` returned; raises one of MISFITS for any other value."""
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.restore(self.model, state.get("average"))
        self.masker.load_state_dict(state["masker"])
        self.optimizer.load_state_dict(state["optimizer"])
        for parameter, kept in self.optimizer.state.items():
            if kept["momentum_buffer"].shape != parameter.shape:
                raise ValueError("the momentum is that of another network")
        torch.set_rng_state(state["rng"]["cpu"])
        if self.device.type == "cuda" and state["rng"]["cuda"] is not None:
            torch.cuda.set_rng_state(state["rng"]["cuda"], self.device)
        position = {"divergence_sum": 0.0} | state["position"]  # older checkpoints have none
        for key in self._POSITION:
            setattr(self, key, copy(position[key]))
        if self.step != (self.epoch - 1) * self.steps_per_epoch + self.position:
            raise ValueError(f"step {self.step} is not in epoch {self.epoch}")
