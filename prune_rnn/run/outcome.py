"""What a run measures: a row of its history per epoch, and its result at the end."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

import torch

from prune_rnn import __version__
from prune_rnn.config.config import Config
from prune_rnn.model.deepspeech2 import DeepSpeech2
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
    """Returns the versions of all that a result depends on."""
    own = {"prune-rnn": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in _RECORDED}


def history_row(trainer: Trainer, dev: Scores) -> Plain:
    """Returns what an epoch adds to the history: losses in nats per utterance, with a teacher the divergence
    from it as well, rates and sparsity as fractions."""
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
    """Returns what else an epoch measures, for trackers: the mean norm of its gradients, and the seconds of speech that
    one second of training takes in."""
    norms = trainer.norms[-trainer.position :]
    return {
        "gradient_norm": sum(norms) / max(1, len(norms)),
        "speech_seconds_a_second": trainer.frames * STEP / SAMPLE_RATE / max(trainer.seconds, 1e-9),
    }


def _counts(model: DeepSpeech2, prunable: set[str]) -> dict[str, Counts]:
    """Returns what is left of each layer. prunable: names of parameters."""
    return {
        layer: _of(
            sum(p.numel() for _, p in named),
            sum(p.numel() for name, p in named if name in prunable),
            sum(int(p.count_nonzero()) for _, p in named),
        )
        for layer, named in layers(model)
    }


def _of(parameters: int, prunable: int, nonzero: int) -> Counts:
    return Counts(parameters=parameters, prunable=prunable, nonzero=nonzero, sparsity=1 - nonzero / parameters)


def _together(parts: Sequence[Counts]) -> Counts:
    return _of(sum(p.parameters for p in parts), sum(p.prunable for p in parts), sum(p.nonzero for p in parts))


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
    """Returns the result of a run whose best weights the trainer's model holds.

    test: their scores. processes: how many trained, a number for each change. precisions: of the products, likewise.
    """
    model, device = trainer.model, trainer.device
    weights = select(model, config.model.prunable)
    counted = _counts(model, {name for group in weights.values() for name in group})
    every = _together(list(counted.values()))
    recurrent = _together([c for layer, c in counted.items() if is_recurrent(layer)])
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
        layers=counted,
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
