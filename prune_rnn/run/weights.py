"""The trained network of a finished run."""

from __future__ import annotations

from pathlib import Path

from prune_rnn import paths
from prune_rnn.model.deepspeech2 import DeepSpeech2, meta_model
from prune_rnn.run.identity import digest_of
from prune_rnn.run.record import Recorded
from prune_rnn.run.resume import MISFITS
from prune_rnn.run.store import Run


def checkpoint(folder: Path) -> tuple[Recorded, DeepSpeech2]:
    """Returns the configuration and the network, in evaluation mode, of a finished run; ValueError for any other."""
    run = Run(folder)
    if not run.finished:
        raise ValueError(f"{folder} holds no finished run; train it first, and give its folder below results/runs")
    return read_weights(run)


def read_weights(run: Run) -> tuple[Recorded, DeepSpeech2]:
    """Returns the same of a finished run; ValueError where a file is damaged or of another run."""
    config, state = run.config(), run.load(paths.MODEL)
    try:
        if digest_of(state["config"]["identity"]) != digest_of(config.identity):
            raise ValueError("it is of a run with another configuration")
        config.model.check()
        model, weights = meta_model(config.model), state["model"]  # no memory before the shapes fit
        for name, value in model.state_dict().items():
            found = weights[name]
            if found.dtype != value.dtype or not found.isfinite().all():
                raise ValueError(f"{name} is not of {value.dtype}, or not finite")
        model.load_state_dict(weights, assign=True)
    except MISFITS as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        path = run.folder / paths.MODEL
        raise ValueError(f"{path} does not hold the weights of its run ({reason}); {run.again}") from None
    return config, model.eval()
