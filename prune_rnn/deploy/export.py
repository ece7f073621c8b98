"""From a trained network to a packed file, checked on the dev split."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from tabulate import tabulate
from torch import Tensor

from prune_rnn import paths
from prune_rnn.data.batch import Utterance, batches, read_audio
from prune_rnn.data.coding import Coding
from prune_rnn.data.fingerprint import lines_of
from prune_rnn.data.sets import SETS
from prune_rnn.data.utterances import read_manifest
from prune_rnn.deploy import file
from prune_rnn.deploy.advance import NEEDS_WHOLE, log_probs
from prune_rnn.deploy.network import load
from prune_rnn.deploy.stream import streamed_text
from prune_rnn.deploy.trained import Statistics, trained
from prune_rnn.engine.choose import describe_backend
from prune_rnn.engine.quantise import Dtype
from prune_rnn.files import write_atomically
from prune_rnn.integrity.tidy import clean
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.run.outcome import versions
from prune_rnn.run.record import Recorded
from prune_rnn.run.store import Run
from prune_rnn.speech.features import counted, log_power
from prune_rnn.speech.scores import error_rates
from prune_rnn.speech.text import greedy
from prune_rnn.train.experiment import say
from prune_rnn.usage import UsageError
from prune_rnn.values import from_json

_ROUNDING = 1e-3  # between probabilities, by another order of sums: two symbols may tie
_TOLERANCE = 1e-3  # between error rates of the same weights on different hardware
SAMPLE = 200  # utterances of the train split that the statistics are of


@dataclass(kw_only=True, slots=True)
class ExportOptions:
    """The options of `prune-rnn export`."""

    dtype: Dtype = Dtype.float32
    out: str | None = None
    dev: str | None = None
    cache: str | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """A packed file compared with what it was packed from; error rates of the dev split are fractions.

    source: what that is, such as "checkpoint".
    """

    path: Path
    label: str
    dtype: Dtype
    bytes: int
    dense_bytes: int  # of all parameters in float32
    utterances: int
    source: str
    same: int  # of the utterances, decoded to the source's text
    cer: float
    source_cer: float
    stream_cer: float | None  # None: not asked for

    def __str__(self) -> str:
        change = "no error"
        if self.source_cer:
            more = self.cer / self.source_cer - 1
            change = f"{100 * abs(more):.2f} % {'more' if more >= 0 else 'fewer'} errors"
        ratio = f"dense float32 weights: {self.dense_bytes:,} ({self.dense_bytes / self.bytes:.1f} times)"
        rows = [
            ("file", str(self.path)),
            ("weights", f"{self.dtype.value}, {self.label}"),
            ("size", f"{self.bytes:,} bytes; {ratio}"),
            ("dev split", f"{self.same} of {self.utterances} utterances: the same text as by the {self.source}"),
            ("dev CER", f"{100 * self.cer:.2f} %, {self.source}: {100 * self.source_cer:.2f} % ({change})"),
        ]
        if self.stream_cer is not None:
            rows.append(("dev CER, streamed", f"{100 * self.stream_cer:.2f} %"))
        return tabulate(rows, tablefmt="plain")


def export(place: Path, options: ExportOptions) -> Exported:
    """Writes the packed file of a finished run, or of a packed file in float32, and decodes the dev split with it.

    ValueError where the run isn't finished, its dev split is not available, a float32 file gives other probabilities
    than the checkpoint, the checkpoint is not that of the run's result, or the network can't be streamed as asked for.
    """
    torch.set_flush_denormal(True)
    if options.out:
        _check_place(Path(options.out), place)
    source = trained(place, options.dtype)
    config, model = source.config, source.model
    path = Path(options.out) if options.out else source.place()
    if options.stream and config.model.both_ways:
        raise UsageError(f"--stream: {NEEDS_WHOLE}; leave out --stream")
    if run := source.run:
        clean(run, say)
    coding = Coding.of(config.data)
    dev = _dev_split(config, options, model, coding)
    audio = [read_audio(utterance.audio) for utterance in dev]
    packed = source.packed(lambda: _statistics(_train_sample(config, options) or audio, coding))
    content = file.to_bytes(packed)
    say(describe_backend())
    with tempfile.TemporaryDirectory() as unchecked:
        written = Path(unchecked) / path.name
        written.write_bytes(content)
        network = load(written)
        streamed = _streamed(written, audio) if options.stream else None
    features = [coding.features(waveform) for waveform in audio]
    references = [utterance.transcript for utterance in dev]
    with torch.inference_mode():
        theirs = [source.log_probs(one) for one in features]
        ours = [log_probs(network, one) for one in features]
    wanted, found = ([greedy(one, coding.alphabet) for one in each] for each in (theirs, ours))
    same = sum(a == b for a, b in zip(wanted, found, strict=True))
    apart = max(float((a.exp() - b.exp()).abs().max()) for a, b in zip(theirs, ours, strict=True))
    if options.dtype is Dtype.float32 and not apart <= _ROUNDING:
        raise ValueError(
            f"{path} would give probabilities up to {apart:.2g} apart from the checkpoint's on the dev split"
        )
    source_cer = error_rates(references, wanted)[0].rate
    if run:
        _compare(run, source_cer)
    with run.lock() if run and path.parent == run.folder else nullcontext():
        write_atomically(path, content)
    return Exported(
        path=path,
        label=f"{config.model.name} at scale={config.scale.name}",
        dtype=options.dtype,
        bytes=path.stat().st_size,
        dense_bytes=4 * sum(p.numel() for p in model.parameters()),
        utterances=len(dev),
        source=source.named,
        same=same,
        cer=error_rates(references, found)[0].rate,
        source_cer=source_cer,
        stream_cer=None if streamed is None else error_rates(references, streamed)[0].rate,
    )


def _check_place(path: Path, source: Path) -> None:
    """Raises UsageError where the source, or a file that is no packed network, would be replaced."""
    if path.exists():
        if source.exists() and path.samefile(source):
            raise UsageError(f"--out {path}: is the file to pack; give another name")
        try:
            file.read(path)
        except (OSError, ValueError):
            raise UsageError(f"--out {path}: is there already, and no packed network; give another name") from None


def _streamed(path: Path, audio: list[Tensor]) -> list[str]:
    """Returns the text of each waveform by `transcribe --stream`: one frame at a time, on one thread.

    The products of a single frame end before another thread has woken.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = load(path, frames=1)
        with torch.inference_mode():
            return [streamed_text(network, waveform) for waveform in audio]
    finally:
        torch.set_num_threads(threads)


def _compare(run: Run, cer: float) -> None:
    """Raises ValueError where the checkpoint's dev CER is not the result's; with other versions it only warns."""
    result = run.result()
    if abs(cer - result.dev.cer) > _TOLERANCE:
        ours, theirs = f"{100 * cer:.2f} %", f"{100 * result.dev.cer:.2f} %"
        text = f"{run.folder}: the dev CER of {paths.MODEL} is {ours}, {paths.RESULT} says {theirs}"
        if result.versions == versions():
            raise ValueError(f"{text}: one of them is damaged, or of another run; delete the folder and train again")
        say(f"{text}: the versions of the packages are others than at the training, or one of the two is damaged")


def _statistics(audio: list[Tensor], coding: Coding) -> Statistics:
    """Returns the log power spectrogram's mean and deviation over the frames that count, (bins,) each."""
    count, sums, squares = 0, torch.zeros(()), torch.zeros(())
    for waveform in audio:
        log = counted(log_power(waveform, coding.front_end), coding.front_end).double()
        count, sums, squares = count + log.shape[1], sums + log.sum(1), squares + (log**2).sum(1)
    mean = sums / count
    return mean.float(), (squares / count - mean**2).clamp_min(0).sqrt().float()


def _train_sample(config: Recorded, options: ExportOptions) -> list[Tensor]:
    """Returns SAMPLE recordings of the train split, evenly spaced; none where the run does not record its path."""
    path = SETS[config.data["name"]].recorded_train(config.data, options.cache, lambda _: None)
    if path is None:
        say("the statistics that --stream begins with are the dev split's: where the train split lies is not recorded")
        return []
    lines = [line for line in lines_of(path) if line]  # checked when it was trained on: all of it takes seconds
    count = min(SAMPLE, len(lines))
    sample = [from_json(lines[index * len(lines) // count]) for index in range(count)]
    return [read_audio(path.parent / line["audio_filepath"]) for line in sample]


def _dev_split(config: Recorded, options: ExportOptions, model: DeepSpeech2, coding: Coding) -> list[Utterance]:
    path = SETS[config.data["name"]].recorded_dev(config.data, options.dev, options.cache, say)
    # the training skipped bad lines, or found none
    utterances = read_manifest(path, model.output_frames, skip_bad=True, report=say, coding=coding)
    return batches(utterances, len(utterances))[0]
