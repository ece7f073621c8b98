"""Text from recordings, by a packed network."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from prune_rnn.data.batch import read_audio
from prune_rnn.deploy.network import Network, load
from prune_rnn.deploy.stream import Stream, streamed_text
from prune_rnn.engine.choose import describe_backend
from prune_rnn.features import SAMPLE_RATE, WINDOW, log_spectrogram
from prune_rnn.schema import option
from prune_rnn.usage import THREADS, within


@dataclass(kw_only=True, slots=True)
class TranscribeOptions:
    """What `prune-rnn transcribe` can be asked for."""

    # one when streaming: its products are small
    threads: int | None = option("CPU threads; null: torch's choice, 1 with --stream", None)


def transcribe(model: Path, audio: list[Path], options: TranscribeOptions, stream: bool) -> None:
    """Prints the text of each recording as it is found, and on the error stream how long it took.

    Several recordings: each line begins with its path. ValueError and OSError name the file that can't be used.
    """
    within("threads", options.threads, 1, THREADS)
    if stream or options.threads:
        torch.set_num_threads(options.threads or 1)
    torch.set_flush_denormal(True)
    with torch.inference_mode():
        network = load(model, frames=1) if stream else load(model)
        waveforms = [_checked(path) for path in audio]  # what is wrong with the last is told before the first is begun
        work: Callable[..., object] = streamed_text if stream else _whole
        if stream:
            Stream(network)  # tells of a network that can't
        print(describe_backend(), file=sys.stderr)
        work(network, torch.zeros(WINDOW * 10), lambda text: None)  # warm-up
        for path, waveform in zip(audio, waveforms, strict=True):
            if len(audio) > 1:
                print(f"{path}\t", end="", flush=True)
            start = time.perf_counter()
            work(network, waveform, lambda text: print(text, end="", flush=True))
            seconds, length = time.perf_counter() - start, len(waveform) / SAMPLE_RATE
            print(flush=True)
            factor = f"real-time factor {seconds / length:.4f} ({length:.2f} s of audio in {seconds:.3f} s)"
            threads = torch.get_num_threads()
            print(f"{path}: {factor}, {threads} thread{'s' * (threads != 1)}", file=sys.stderr)


def _checked(path: Path) -> Tensor:
    if not path.is_file():
        raise OSError(f"{path}: is a folder" if path.is_dir() else f"{path}: no such file")
    waveform = read_audio(path)
    if len(waveform) < WINDOW:
        raise ValueError(f"{path}: {len(waveform)} samples at 16 kHz are shorter than one window of 20 ms")
    return waveform


def _whole(network: Network, waveform: Tensor, write: Callable[[str], None]) -> None:
    write(network.text(log_spectrogram(waveform)))
