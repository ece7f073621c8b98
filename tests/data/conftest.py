"""Short recordings."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from prune_rnn.data.batch import Utterance
from prune_rnn.speech.features import frames


@pytest.fixture
def noises(tmp_path: Path) -> list[Utterance]:
    """Noise of 1000, 2000 and 700 samples: 5, 11 and 3 frames."""
    found = []
    for i, (samples, transcript) in enumerate([(1000, "ab"), (2000, "a cat's"), (700, "z")]):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, np.random.default_rng(i).uniform(-0.5, 0.5, samples), 16000)
        found.append(Utterance(path, frames(samples), transcript))
    return found
