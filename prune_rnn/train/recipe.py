"""How a network is trained, in numbers: Nesterov SGD on the CTC loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import torch

from prune_rnn import cpu
from prune_rnn.config.option import option
from prune_rnn.data import augment
from prune_rnn.usage import within

_RANGES = (
    ("epochs", 1, 1_000_000),
    ("batch_size", 1, 1_000_000),
    ("steps_per_epoch", 1, 10_000_000),
    ("load_workers", 0, 256),
)
_POWERS = 700.0  # the learning rate may change by a factor of at most e^700; e^710 is no float


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
    average: float | None = option(
        "decay of a moving average of the weights since pruning ended, which is tested in their place; null: none",
        None,
        later=True,
    )
    # for small corpora; drawn anew for each utterance in each step
    speeds: list[float] = option(
        "factors of speed, one drawn for each utterance; usual: [0.9,1.0,1.1]", factory=lambda: [1.0], before=[1.0]
    )
    bin_masks: int = option("bands of bins hidden in each utterance (SpecAugment)", 0, later=True)
    bin_mask_width: int = option("their greatest width, bins of 50 Hz", 40, later=True)
    frame_masks: int = option("stretches of frames hidden in each utterance (SpecAugment)", 0, later=True)
    frame_mask_width: int = option("their greatest length, frames of 10 ms", 40, later=True)
    load_workers: int = option("processes that read audio; 0: the one that trains", 0, identity=False)
    checkpoint_minutes: float = option("minutes between checkpoints within an epoch", 5.0, identity=False)

    @property
    def masks(self) -> augment.Masks:
        """What SpecAugment hides."""
        return augment.Masks(self.bin_masks, self.bin_mask_width, self.frame_masks, self.frame_mask_width)

    def check(self) -> None:
        """Raises ValueError where a number is out of its range."""
        for key, low, most in _RANGES:
            within(f"train.{key}", getattr(self, key), low, most)
        augment.check(self.speeds, self.masks)
        for key in ("learning_rate", "anneal", "clip", "checkpoint_minutes"):
            value = getattr(self, key)
            if not (value is None or 0 < value < float("inf")):
                raise ValueError(f"train.{key}={value}: must be above 0")
        if self.clip_percentile is not None and not 0 < self.clip_percentile <= 100:
            raise ValueError(f"train.clip_percentile={self.clip_percentile}: must be above 0 and at most 100")
        if self.average is not None and not 0 < self.average < 1:
            raise ValueError(f"train.average={self.average}: must lie between 0 and 1, e.g. 0.999")
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
