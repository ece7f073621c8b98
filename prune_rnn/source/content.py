"""The digest of the weights of a start or a teacher, which does not depend on their path."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load as load_packed
from torch import Tensor

from prune_rnn import files, paths
from prune_rnn.deploy.file import stored
from prune_rnn.deploy.fold import fold
from prune_rnn.engine.quantise import Dtype
from prune_rnn.integrity import sealed
from prune_rnn.usage import UsageError

_LENGTH = 16  # characters of the digest
_STATISTICS = "features."  # begins the names of a packed file's tensors that belong to no layer


def content(key: str, source: str) -> str:
    """Returns a digest of all weights of a finished run (its folder) or of a packed file (its path).

    A run and the float32 file that `prune-rnn export` packs of it have the same digest.
    key: of the source on the command line, for messages. ValueError where the file is missing or can't be read.
    """
    path = file_of(key, source)
    status = path.stat()
    try:
        return _content(path, status.st_mtime_ns, status.st_size)
    except Exception as error:  # torch.load raises any error of its unpickler or zip reader
        reason = str(error).partition("\n")[0] or type(error).__name__
        fix = "give the folder of a finished run, or a file that `prune-rnn export` wrote"
        raise ValueError(f"{key}={path}: can't be read ({reason}); {fix}") from None


def file_of(key: str, source: str) -> Path:
    """Returns the file that holds a source's weights; UsageError where there is none."""
    path = Path(source)
    if not path.is_dir():
        if not path.is_file():
            raise UsageError(f"{key}={source}: no such file; give the folder of a finished run, or a packed file")
        if path.name == paths.MODEL:
            raise UsageError(f"{key}={source}: holds the weights of a run; give the run's folder: {key}={path.parent}")
        return path
    if not (path / paths.MODEL).is_file():
        packed = paths.packed(path)
        fix = f"give {key}={packed[0]}" if packed else "give the folder of a finished run, or a packed file"
        raise UsageError(f"{key}={source}: holds no {paths.MODEL}; {fix}")
    return path / paths.MODEL


@cache
def _content(path: Path, changed: int, size: int) -> str:
    tensors = _tensors(path)
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()[:_LENGTH]}"


def _tensors(path: Path) -> dict[str, Tensor]:
    read = files.read(path, files.TENSORS)
    if path.name == paths.MODEL:
        sealed.check_archive(read)
        state = torch.load(io.BytesIO(read), map_location="cpu", weights_only=True)["model"]
        return stored(*fold(state, Dtype.float32))
    stated, own = sealed.checksums(read)
    if stated not in (None, own):
        raise ValueError("its checksum is not that of its content")
    return {name: each for name, each in load_packed(read).items() if not name.startswith(_STATISTICS)}
