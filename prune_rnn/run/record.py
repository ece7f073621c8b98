"""What a run records: a row of its history an epoch, and its result at the end."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import torch

from prune_rnn import __version__, distributed
from prune_rnn.config import Config
from prune_rnn.evaluate import Scores
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.model.layers import is_recurrent, layers
from prune_rnn.provenance import commit
from prune_rnn.prune import q
from prune_rnn.prune.masker import select
from prune_rnn.run.resolve import CALIBRATED
from prune_rnn.train import Trainer

_RECORDED = ("torch", "torchaudio", "numpy", "espeakng-loader", "Faker", "num2words")


def history_row(trainer: Trainer, dev: Scores) -> dict[str, Any]:
    """Returns what an epoch adds to the history: losses in nats an utterance, rates and sparsity as fractions."""
    row = {
        "epoch": trainer.epoch,
        "step": trainer.step,
        "learning_rate": trainer.learning_rate,
        "train_loss": trainer.train_loss,
        "dev_loss": dev.loss,
        "dev_cer": dev.cer.rate,
        "dev_wer": dev.wer.rate,
    }
    row |= {f"sparsity_{layer_type}": value for layer_type, value in trainer.masker.sparsity().items()}
    row |= {f"threshold_{layer_type}": value for layer_type, value in trainer.masker.thresholds.items()}
    return row | {"seconds": round(trainer.seconds, 3)}


def errors(history: list[dict[str, Any]], best_epoch: int, test: Scores) -> dict[str, Any]:
    """Returns the scores of the best epoch on dev and of its weights on test."""
    dev = {key: history[best_epoch - 1][f"dev_{key}"] for key in ("loss", "cer", "wer")}
    return {"best_epoch": best_epoch, "dev": dev, "test": asdict(test)}


def counts(config: Config, model: DeepSpeech2) -> dict[str, Any]:
    """Returns what is left of the network: parameters and sparsity, overall and per layer, and q of its weights."""
    weights = select(model, config.model.prunable)
    prunable = {name for group in weights.values() for name in group}
    per_layer = {}
    for layer, named in layers(model):
        per_layer[layer] = {
            "parameters": sum(p.numel() for _, p in named),
            "prunable": sum(p.numel() for name, p in named if name in prunable),
            "nonzero": sum(int(p.count_nonzero()) for _, p in named),
        }
    total = _summed(list(per_layer.values()))
    return {
        **total,
        "sparsity": _sparsity(total),
        "sparsity_recurrent": _sparsity(_summed([c for layer, c in per_layer.items() if is_recurrent(layer)])),
        "layers": {layer: {**c, "sparsity": _sparsity(c)} for layer, c in per_layer.items()},
        "q_of_weights": q.measured(weights),
    }


def _summed(parts: list[dict[str, int]]) -> dict[str, int]:
    return {key: sum(part[key] for part in parts) for key in parts[0]}


def _sparsity(counted: dict[str, int]) -> float:
    return 1 - counted["nonzero"] / counted["parameters"]


def record(
    config: Config, trainer: Trainer, history: list[dict[str, Any]], q_source: str, command: str, device: torch.device
) -> dict[str, Any]:
    """Returns how the run came about."""
    seconds = sum(row["seconds"] for row in history)
    return {
        "q": None if q_source == CALIBRATED else getattr(config.prune, "q", None),
        "q_source": q_source or None,
        "threshold": trainer.masker.thresholds,
        "seed": trainer.seed,
        "steps": trainer.step,
        "train_seconds": round(seconds, 1),
        "seconds_per_step": seconds / trainer.step,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine() + " CPU",
        "threads": torch.get_num_threads(),
        "processes": distributed.world(),
        "versions": {"prune-rnn": __version__, "python": platform.python_version()}
        | {name: version(name) for name in _RECORDED},
        "commit": commit(),
        "command": command,
    }
