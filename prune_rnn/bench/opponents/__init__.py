"""The one list of all opponents: a library is added with one module and one line here."""

from __future__ import annotations

from prune_rnn.bench.opponents.base import Baseline, Opponent
from prune_rnn.bench.opponents.cuda import Cuda
from prune_rnn.bench.opponents.onnx import Onnx
from prune_rnn.bench.opponents.scipy import Scipy
from prune_rnn.bench.opponents.torch import Torch

__all__ = ["OPPONENTS", "Baseline", "Opponent", "installed", "missing", "versions"]

OPPONENTS: tuple[Opponent, ...] = (Torch(), Onnx(), Scipy(), Cuda())


def installed(device: str) -> list[Opponent]:
    """Returns the opponents on a device ("cpu" or "cuda") whose packages are all installed."""
    return [each for each in OPPONENTS if each.device == device and not each.missing()]


def missing(device: str) -> list[str]:
    """Returns the packages that opponents on the device lack; what they would compute is left out."""
    return sorted({name for each in OPPONENTS if each.device == device for name in each.missing()})


def versions(device: str) -> dict[str, str]:
    """Returns the versions of the packages that opponents on the device are made of, of those installed."""
    return {name: version for each in OPPONENTS if each.device == device for name, version in each.versions().items()}
