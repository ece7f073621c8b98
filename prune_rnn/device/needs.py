"""What the check on a CUDA device finds on this machine, and what a stage lacks. Imports none of the packages."""

from __future__ import annotations

import platform
from importlib import metadata
from importlib.util import find_spec

from prune_rnn.provenance import commit

# package as it is imported -> as it is installed; with what these need themselves
CORE = {
    "torch": "torch", "numpy": "numpy", "tabulate": "tabulate", "hydra": "hydra-core", "omegaconf": "omegaconf",
    "antlr4": "antlr4-python3-runtime", "yaml": "pyyaml", "pandas": "pandas", "torchaudio": "torchaudio",
    "soundfile": "soundfile", "cffi": "cffi", "jiwer": "jiwer", "rapidfuzz": "rapidfuzz", "click": "click",
    "filelock": "filelock", "tqdm": "tqdm", "safetensors": "safetensors",
}  # fmt: skip
# the same -> what is lost without it
MORE = {
    "triton": "stages 1, 4 and 5 fail, and training takes torch's operations",
    "pytest": "stage 1 fails",
    "matplotlib": "stage 4 fails",
}
SPEECH = ("espeakng_loader", "faker", "num2words")  # what makes the synthetic corpus
_VERSIONS = ("torch", "triton", "numpy")


def has_speech() -> bool:
    """Whether the synthetic corpus can be made here."""
    return all(find_spec(name) is not None for name in SPEECH)


def lacks_core() -> list[str]:
    """Returns the packages without which no stage runs, as they are installed."""
    return [name for module, name in CORE.items() if find_spec(module) is None]


def missing() -> list[str]:
    """Returns a line for each thing that is missing, with what is lost by that; none where all is there."""
    lines = [f"missing: {name}; no stage runs" for name in lacks_core()]
    lines += [f"missing: {name}; {lost}" for name, lost in MORE.items() if find_spec(name) is None]
    if not has_speech():
        absent = ", ".join(name for name in SPEECH if find_spec(name) is None)
        lines.append(f"missing: {absent}; stage 2 trains on random batches, and its losses say nothing of speech")
    if lines:
        lines.append("to install without a network: pip wheel on another machine, then pip install --no-index *.whl")
    return lines


def has_device() -> bool:
    """Whether torch finds a CUDA device."""
    import torch

    return torch.cuda.is_available()


def machine(dry: bool) -> dict[str, str]:
    """Returns what the numbers are of: the device and the versions. A dry run's device is the CPU."""
    found = {"device": f"CPU ({platform.machine()}), Triton's interpreter"}
    if not dry:
        import torch

        found = {"device": torch.cuda.get_device_name(), "CUDA": str(torch.version.cuda)}
    found |= {name: metadata.version(name) for name in _VERSIONS if find_spec(name) is not None}
    return {**found, "commit": (commit() or "unknown")[:12]}
