"""A trained network that is to be packed: that of a finished run, or of a packed file in float32."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn.deploy import file
from prune_rnn.deploy.advance import log_probs
from prune_rnn.deploy.file import Packed
from prune_rnn.deploy.network import Network
from prune_rnn.deploy.pack import pack, rounded
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.deepspeech2 import DeepSpeech2, meta_model
from prune_rnn.run.record import Recorded, read_config
from prune_rnn.run.store import Run
from prune_rnn.run.weights import checkpoint
from prune_rnn.usage import UsageError

Statistics = tuple[Tensor, Tensor]  # mean and deviation of the log spectrogram, (bins,) each


class Trained(ABC):
    """config: of its training. model: the network; that of a file has shapes alone. dtype: to pack it in.

    named: in what is printed. run: None for a file.
    """

    named: str
    run: Run | None = None

    def __init__(self, config: Recorded, model: DeepSpeech2, dtype: Dtype) -> None:
        self.config, self.model, self.dtype = config, model, dtype

    @abstractmethod
    def place(self) -> Path:
        """Returns the path of the packed file where the user names none."""

    @abstractmethod
    def log_probs(self, features: Tensor) -> Tensor:
        """(bins, frames) -> (output frames, symbols)."""

    @abstractmethod
    def packed(self, statistics: Callable[[], Statistics]) -> Packed:
        """Returns the network for inference. statistics: of the train split."""


class OfRun(Trained):
    """The network of a finished run; ValueError for any other folder."""

    named = "checkpoint"

    def __init__(self, folder: Path, dtype: Dtype) -> None:
        super().__init__(*checkpoint(folder), dtype)
        self.folder, self.run = folder, Run(folder)

    def place(self) -> Path:
        return self.folder / f"model-{self.dtype.value}.safetensors"

    def log_probs(self, features: Tensor) -> Tensor:
        found: Tensor = self.model(features[None], torch.tensor([features.shape[1]]))[:, 0]
        return found

    def packed(self, statistics: Callable[[], Statistics]) -> Packed:
        return pack(self.model.state_dict(), self.config, self.dtype, *statistics())


class OfFile(Trained):
    """The network of a packed file in float32, to be packed in another type; UsageError where one is not so."""

    named = "float32 file"

    def __init__(self, path: Path, dtype: Dtype) -> None:
        self.path, self.content = path, file.read(path)
        if self.content.dtype is not Dtype.float32:
            what = f"its weights are in {self.content.dtype.value} already"
            raise UsageError(f"{path}: {what}; give the run's folder, or its file in float32")
        if dtype is Dtype.float32:
            raise UsageError(f"--dtype float32: {path} is in float32 already; give --dtype int8 or bfloat16")
        try:
            config = read_config(self.content.config.values)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: its configuration can't be read ({error}); export the run again") from None
        super().__init__(config, meta_model(config.model), dtype)
        self._network = Network(self.content)

    def place(self) -> Path:
        stem = self.path.stem.removesuffix(f"-{Dtype.float32.value}")
        return self.path.with_name(f"{stem}-{self.dtype.value}.safetensors")

    def log_probs(self, features: Tensor) -> Tensor:
        return log_probs(self._network, features)

    def packed(self, statistics: Callable[[], Statistics]) -> Packed:
        return rounded(self.content, self.dtype)


def trained(place: Path, dtype: Dtype) -> Trained:
    """Returns the network of a run's folder or a packed file, to be packed in the type."""
    of_file = place.is_file() or (place.suffix == ".safetensors" and not place.exists())
    return OfFile(place, dtype) if of_file else OfRun(place, dtype)
