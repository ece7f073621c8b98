"""Networks that follow a law made up here."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from prune_rnn.deploy import file
from prune_rnn.deploy.pack import pack
from prune_rnn.engine.quantise import Dtype
from prune_rnn.predict.law import REFERENCE
from prune_rnn.predict.networks import Network
from prune_rnn.predict.setting import Setting
from prune_rnn.speech.features import BINS

Place = Callable[..., Setting]
Trained = Callable[..., Network]


@pytest.fixture
def place() -> Place:
    """Makes a setting of a size (times the reference) and a density; a dense one at density 1."""

    def make(size: float = 1.0, density: float = 1.0, **other: object) -> Setting:
        pruned = density < 1
        values: dict[str, object] = {
            "cell": "gru", "units": round(100 * size), "parameters": round(1.1 * size * REFERENCE),
            "prunable": round(size * REFERENCE), "density": density, "method": "gradual" if pruned else "none",
            "start": 0.05 * pruned, "end": 0.5 * pruned, "schedule": "schedule" if pruned else "", "variant": "",
            "init": False, "teacher": False, "shape": "shape",
            "data": "synthetic", "recipe": "recipe", "kin": "kin", "hours": 15.0, "hours_heard": 50.0,
        }  # fmt: skip
        return Setting(**{**values, **other})  # type: ignore[arg-type]

    return make


@pytest.fixture
def lawful(place: Place) -> list[Network]:
    """Thirty networks of CER 0.25 (0.7 + 0.3 size^-0.5 density^-0.25), without any noise."""
    sizes, densities = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0), (1.0, 0.5, 0.25, 0.125, 0.0625)
    return [
        Network(
            setting=place(size, density),
            log_cer=math.log(0.25 * (0.7 + 0.3 * size**-0.5 * density**-0.25)),
            deviation=None,
            runs=(f"run-{size}-{density}",),
        )
        for size in sizes
        for density in densities
    ]


@pytest.fixture
def sparse_start(network: Callable[..., Any], tmp_path: Path) -> Path:
    """Packs a GRU of 24 units. Of 4 rows 3 are zero in each matrix of its recurrent layers, none in the linear one."""
    model, kept = network("gru_sparse")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                parameter.fill_(0.5)
            if name.startswith("recurrent") and parameter.dim() == 2:
                parameter[torch.arange(len(parameter)) % 4 > 0] = 0
    path = tmp_path / "packed"
    path.write_bytes(file.to_bytes(pack(model.state_dict(), kept, Dtype.float32, torch.zeros(BINS), torch.ones(BINS))))
    return path
