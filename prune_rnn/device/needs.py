"""What the check on a CUDA device finds on this machine, and what is missing for which stage. Imports none of it."""

from __future__ import annotations

import platform
from importlib import metadata
from importlib.util import find_spec

from prune_rnn.provenance import commit

# package as it is imported -> (as it is installed, what is lost without it)
NEEDED = {
    "torch": ("torch", "no stage runs"),
    "tabulate": ("tabulate", "no stage runs"),
    "triton": ("triton", "stage 1 skips the kernels; 4 and 5 fail; training takes the loop of torch's operations"),
    "pytest": ("pytest", "stage 1 fails"),
    "hydra": ("hydra-core", "stages 2, 3 and 5 fail"),
    "omegaconf": ("omegaconf", "stages 2, 3 and 5 fail"),
    "torchaudio": ("torchaudio", "stages 1 to 3 fail"),
    "soundfile": ("soundfile", "stages 1 to 3 fail"),
    "jiwer": ("jiwer", "stages 1 to 3 fail"),
    "pandas": ("pandas", "stage 4 fails"),
    "matplotlib": ("matplotlib", "stage 4 fails"),
    "safetensors": ("safetensors", "stage 4 fails"),
    "filelock": ("filelock", "stages 2 and 3 fail"),
    "tqdm": ("tqdm", "stages 1 to 3 fail"),
    "yaml": ("pyyaml", "all stages but 1 fail"),
}
SPEECH = ("espeakng_loader", "faker", "num2words")  # what makes the synthetic corpus
_VERSIONS = ("torch", "triton", "numpy")


def has_speech() -> bool:
    """Whether the synthetic corpus can be made here."""
    return all(find_spec(name) is not None for name in SPEECH)


def missing() -> list[str]:
    """Returns a line for each thing that is missing, with what is lost by that; none where all is there."""
    lines = [f"missing: {name}; {lost}" for module, (name, lost) in NEEDED.items() if find_spec(module) is None]
    if not has_speech():
        absent = ", ".join(name for name in SPEECH if find_spec(name) is None)
        lines.append(f"missing: {absent}; stage 2 trains on random batches, and its losses say nothing of speech")
    if lines:
        lines.append("to install without a network: pip download on another machine, then pip install --no-index *.whl")
    return lines


def machine(dry: bool) -> dict[str, str]:
    """Returns what the numbers are of: the device and the versions. A dry run's device is the CPU."""
    found = {"device": f"CPU ({platform.machine()}), Triton's interpreter"}
    if not dry:
        import torch

        found = {"device": torch.cuda.get_device_name(), "CUDA": str(torch.version.cuda)}
    found |= {name: metadata.version(name) for name in _VERSIONS if find_spec(name) is not None}
    return {**found, "commit": (commit() or "unknown")[:12]}
