"""The measurements of a run: a row of its history per epoch, and its result at the end."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

import torch
from torch import Tensor

from prune_rnn import __version__
from prune_rnn.config.config import Config
from prune_rnn.model.layers import is_recurrent, layers
from prune_rnn.provenance import commit
from prune_rnn.prune import q
from prune_rnn.prune.select import select
from prune_rnn.run.identity import digest
from prune_rnn.run.record import Counts, DevScores, Result
from prune_rnn.speech.features import SAMPLE_RATE, STEP
from prune_rnn.speech.scores import Scores
from prune_rnn.train.loop import Trainer
from prune_rnn.typed import Plain

_RECORDED = ("torch", "torchaudio", "numpy", "espeakng-loader", "Faker", "num2words")


def versions() -> dict[str, str]:
    """Returns the versions of everything that a result depends on."""
    own = {"prune-rnn": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in _RECORDED}


def history_row(trainer: Trainer, dev: Scores) -> Plain:
    """Returns an epoch's row of the history: losses in nats per utterance, rates and sparsity as fractions.

    With a teacher it has the divergence, too.
    """
    row = {
        "epoch": trainer.epoch,
        "step": trainer.step,
        "learning_rate": trainer.learning_rate,
        "train_loss": trainer.train_loss,
        **({} if trainer.divergence is None else {"divergence": trainer.divergence}),
        "dev_loss": dev.loss,
        "dev_cer": dev.cer.rate,
        "dev_wer": dev.wer.rate,
    }
    row |= {f"sparsity_{layer_type}": value for layer_type, value in trainer.masker.sparsity().items()}
    row |= {f"threshold_{layer_type}": value for layer_type, value in trainer.masker.thresholds.items()}
    return row | {"seconds": round(trainer.seconds, 3)}


def epoch_measures(trainer: Trainer) -> dict[str, float]:
    """Returns an epoch's other numbers, for trackers: the mean norm of its gradients, and seconds of speech per second
    of training."""
    norms = trainer.norms[-trainer.position :]
    return {
        "gradient_norm": sum(norms) / max(1, len(norms)),
        "speech_seconds_a_second": trainer.frames * STEP / SAMPLE_RATE / max(trainer.seconds, 1e-9),
    }


def _count(named: Sequence[tuple[str, Tensor]], prunable: set[str]) -> Counts:
    """Returns the counts of some parameters. prunable: names of all that can be pruned."""
    parameters = sum(p.numel() for _, p in named)
    nonzero = sum(int(p.count_nonzero()) for _, p in named)
    return Counts(
        parameters=parameters,
        prunable=sum(p.numel() for name, p in named if name in prunable),
        nonzero=nonzero,
        sparsity=1 - nonzero / parameters,
    )


def outcome(
    config: Config,
    trainer: Trainer,
    history: list[Plain],
    best_epoch: int,
    test: Scores,
    q_source: str,
    command: str,
    processes: list[int],
    precisions: list[str],
) -> Result:
    """Returns the result of a run; the trainer's model has the best weights.

    test: their scores. processes: a number for each change. precisions: of the products, likewise.
    """
    model, device = trainer.model, trainer.device
    weights = select(model, config.model.prunable)
    prunable, by_layer = {name for group in weights.values() for name in group}, dict(layers(model))
    every = _count(list(model.named_parameters()), prunable)
    recurrent = _count([each for layer, own in by_layer.items() if is_recurrent(layer) for each in own], prunable)
    best, seconds = history[best_epoch - 1], sum(row["seconds"] for row in history)
    return Result(
        best_epoch=best_epoch,
        dev=DevScores(loss=best["dev_loss"], cer=best["dev_cer"], wer=best["dev_wer"]),
        test=test,
        parameters=every.parameters,
        prunable=every.prunable,
        nonzero=every.nonzero,
        sparsity=every.sparsity,
        sparsity_recurrent=recurrent.sparsity,
        layers={layer: _count(own, prunable) for layer, own in by_layer.items()},
        q_of_weights=None if config.prune.prunes else q.measured(weights),
        q=config.prune.magnitudes(),
        q_source=q_source or None,
        threshold=trainer.masker.thresholds,
        seed=trainer.seed,
        steps=trainer.step,
        train_seconds=round(seconds, 1),
        seconds_per_step=seconds / trainer.step,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine() + " CPU",
        threads=torch.get_num_threads(),
        processes=processes[0] if len(processes) == 1 else processes,
        versions=versions(),
        commit=commit(),
        command=command,
        precision=precisions[0] if len(precisions) == 1 else precisions,
        digest=digest(config),
    )
