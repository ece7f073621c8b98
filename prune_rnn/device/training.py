"""Stages 2 and 3: short trainings on the device, at scale=small and at the paper's width."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from prune_rnn.config.config import Config, compose_config
from prune_rnn.device import needs
from prune_rnn.device.batches import SECONDS, randoms, seconds_of, spoken
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.run.resolve import resolve
from prune_rnn.train.loop import Groups, Load, Trainer
from prune_rnn.typed import Plain

PAPER_HOURS = 2100.0  # of speech in the paper's epoch
_WARM = 5  # steps that are left out of the times: kernels are compiled and graphs captured in them
_POINTS = (1, 25, 50, 100, 200, 300, 400)  # steps whose loss stands in the table, the mean of the last _MEAN
_MEAN = 10


def small(dry: bool, folder: Path) -> Iterator[Plain]:
    """Yields GRU Dense and GRU Sparse Big at scale=small, on the device in both precisions and on the CPU.

    The whole schedule of 20 epochs in 400 steps, over half an hour of speech. The CPU does the first 100 of them.
    """
    device = "cpu" if dry else "cuda"
    steps, cpu_epochs = (3, 1) if dry else (20, 5)  # steps: an epoch
    shared = ["scale=small", "data.dev_hours=0.01", "data.test_hours=0.01", "data.train_hours=0.5"]
    shared += [f"train.steps_per_epoch={steps}"]
    if dry:
        shared += ["scale.width=0.02", "scale.conv_channels=1", "train.epochs=4", "data.train_hours=0.005"]
        shared += ["train.batch_size=2"]
    loaded: tuple[Groups, Load] | None = None
    ways = (device, "float32", None), ("cpu", "float32", cpu_epochs), (device, "bfloat16", None)
    speech = needs.has_speech()
    for where, precision, epochs in ways:
        for model, more in (("gru_dense", []), ("gru_sparse_big", ["prune.updates_per_epoch=3"])):  # every 7 steps
            config = compose_config([f"model={model}", f"train.precision={precision}", *shared, *more])
            if loaded is None:
                loaded = spoken(config) if speech else randoms(config.train.batch_size, 4 if dry else 40, 3.6)
            row = trained(config, *loaded, where, epochs)
            yield {**row, "data": "speech" if speech else "random batches"}


def paper(dry: bool, folder: Path) -> Iterator[Plain]:
    """Yields GRU 2560, dense and at 95 % sparsity, over batches of 64 random utterances of the paper's mean length.

    hours an epoch: what 2,100 h of speech would take at the same seconds a step.
    """
    steps = 3 if dry else 30
    shared = ["scale=paper", "train.epochs=2", f"train.steps_per_epoch={steps}", "train.batch_size=64"]
    if dry:
        shared += ["scale.width=0.01", "scale.conv_channels=1", "train.batch_size=2"]
    pruned = ["prune=hard", "prune.prunable_sparsity=0.95", f"prune.epoch={1.1 / steps}"]
    loaded: tuple[Groups, Load] | None = None
    for precision in ("float32", "bfloat16"):
        for model, more in (("gru_dense", []), ("gru_sparse", pruned)):
            config = compose_config([f"model={model}", f"train.precision={precision}", *shared, *more])
            loaded = loaded or randoms(config.train.batch_size, 3, 1.0 if dry else SECONDS)
            row = trained(config, *loaded, "cpu" if dry else "cuda", 1)
            hours = row["seconds a step"] * PAPER_HOURS / seconds_of(loaded[0])
            yield {**row, "hours an epoch of 2,100 h": hours}


def trained(config: Config, groups: Groups, load: Load, device: str, epochs: int | None = None) -> Plain:
    """Trains on the device and returns the row: seconds a step, memory and losses.

    epochs: how many of the configuration's; None: all.
    """
    on = torch.device(device)
    torch.set_flush_denormal(True)  # as `prune-rnn train` does
    run = trainer(config, groups, load, on)
    if on.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    losses: list[float] = []
    seconds: list[float] = []
    for _ in range(epochs or config.train.epochs):
        start = time.perf_counter()
        for loss in run.steps():  # which waits for the loss
            losses.append(loss)
            seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
        run.next_epoch()
    row = {
        "network": config.model.name, "units": config.model.units, "device": on.type, "products": run.precision.name,
        "batch": config.train.batch_size, "steps": len(losses), "seconds a step": _median(seconds),
        "longest": max(seconds[_WARM:] or seconds),
        "GB at most": torch.cuda.max_memory_allocated() / 1e9 if on.type == "cuda" else None,
        "sparsity of recurrent": run.masker.sparsity().get("recurrent"),
    }  # fmt: skip
    points = {f"loss at {step}": smooth(losses, step) for step in _POINTS if step <= len(losses)}
    return {**row, **points, "losses": losses}


def trainer(config: Config, groups: Groups, load: Load, device: torch.device) -> Trainer:
    """Returns the loop that `prune-rnn train` would run, over these batches."""
    config, _ = resolve(config)
    torch.manual_seed(config.seed)
    model = DeepSpeech2(config.model).to(device)
    masker = config.prune.masker(config.prune.weights(model), config.train.steps_per_epoch or len(groups))
    return Trainer(model, masker, config.train, groups, load, seed=config.seed, device=device)


def smooth(losses: Sequence[float], step: int) -> float:
    """Returns the mean loss of the steps up to `step`, of at most ten.

    >>> smooth([4.0, 2.0, 3.0], 1), smooth([4.0, 2.0, 3.0], 3)
    (4.0, 3.0)
    """
    return statistics.fmean(losses[max(0, step - _MEAN) : step])


def _median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds[_WARM:] or seconds)
