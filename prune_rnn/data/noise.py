"""The smallest corpus: three splits of one recording of noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from prune_rnn.data.base import SPLITS
from prune_rnn.speech.features import SAMPLE_RATE


def noise(folder: Path) -> dict[str, Path]:
    """Writes a manifest for each split, of a second of noise with a transcript; returns their paths."""
    manifests = {}
    for seed, split in enumerate(SPLITS):
        samples = np.random.default_rng(seed).uniform(-0.5, 0.5, SAMPLE_RATE)
        soundfile.write(folder / f"{split}.wav", samples, SAMPLE_RATE)
        line = json.dumps({"audio_filepath": f"{split}.wav", "text": "a cat"})
        manifests[split] = folder / f"{split}.jsonl"
        manifests[split].write_text(f"{line}\n", encoding="utf-8")
    return manifests
