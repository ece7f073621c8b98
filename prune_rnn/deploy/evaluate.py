"""Error rates of a trained network on any manifest: of a run's checkpoint, or of a packed file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import torch
from tabulate import tabulate

from prune_rnn import paths
from prune_rnn.data.batch import Utterance, batches, read_audio
from prune_rnn.data.coding import Coding
from prune_rnn.data.loader import load
from prune_rnn.data.transcripts import check_language
from prune_rnn.data.utterances import read_manifest
from prune_rnn.deploy import network
from prune_rnn.deploy.advance import log_probs
from prune_rnn.files import write_atomically
from prune_rnn.model.deepspeech2 import DeepSpeech2, meta_model
from prune_rnn.run.weights import checkpoint
from prune_rnn.speech.beam import Search, SearchOptions
from prune_rnn.speech.scores import ErrorRate, error_rates
from prune_rnn.train.decode import decode
from prune_rnn.train.distributed import usable_device
from prune_rnn.train.experiment import say
from prune_rnn.usage import THREADS, UsageError, within

_BATCH = 16  # utterances that a checkpoint decodes at a time


@dataclass(kw_only=True, slots=True)
class EvaluateOptions(SearchOptions):
    """The options of `prune-rnn evaluate`."""

    out: str | None = None
    skip_bad: bool = False
    device: str = "auto"
    threads: int | None = None
    normalise: str | None = None  # language whose numbers are spelt; None: that of the training


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The error rates of a network on a manifest. out: the file of its hypotheses. search: in words; "": greedy."""

    network: str
    manifest: Path
    utterances: int
    cer: ErrorRate
    wer: ErrorRate
    out: Path
    search: str = ""

    def __str__(self) -> str:
        rows = [("network", self.network), ("manifest", f"{self.manifest}, utterances: {self.utterances}")]
        rows += [("decoding", self.search)] if self.search else []
        rows.append(("hypotheses", str(self.out)))
        rates = [
            (name, f"{100 * e.rate:.2f}", e.insertions, e.deletions, e.substitutions, f"{e.length} {unit}")
            for name, e, unit in (("CER", self.cer, "characters"), ("WER", self.wer, "words"))
        ]
        head = ["", "%", "insertions", "deletions", "substitutions", "of"]
        align = ("left", *["right"] * 4, "left")
        errors = tabulate(rates, head, disable_numparse=True, colalign=align)
        return f"{tabulate(rows, tablefmt='plain')}\n\n{errors}"


def evaluate(model: Path, manifest: Path, options: EvaluateOptions) -> Evaluated:
    """Decodes a manifest by a run (its folder, or model.pt in it) or a packed file, and writes the hypotheses.

    The file has a line of JSON per utterance, in the manifest's order: reference, hypothesis, audio. ValueError and
    OSError, before decoding, where the file of `out` already exists or an input can't be used.
    """
    within("threads", options.threads, 1, THREADS)
    check_language("--normalise", options.normalise)
    out = Path(options.out) if options.out is not None else _free(f"{manifest.stem}-hypotheses")
    if out.exists():
        raise ValueError(f"{out} is already there; give another file by --out, or delete it")
    search = options.search()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    folder = model.parent if model.name == paths.MODEL else model
    by = _by_run if folder.is_dir() else _by_file
    name, searched, utterances, hypotheses = by(folder, manifest, options, search)
    references = [utterance.transcript for utterance in utterances]
    entries = zip(references, hypotheses, utterances, strict=True)
    lines = [json.dumps({"reference": r, "hypothesis": h, "audio": str(u.audio)}) + "\n" for r, h, u in entries]
    write_atomically(out, "".join(lines).encode())
    return Evaluated(name, manifest, len(utterances), *error_rates(references, hypotheses), out, searched)


def _free(stem: str) -> Path:
    """Returns STEM.jsonl, or the first of STEM-2.jsonl, STEM-3.jsonl ... that is not there yet."""
    names = (f"{stem}-{number}.jsonl" if number > 1 else f"{stem}.jsonl" for number in count(1))
    return next(path for name in names if not os.path.lexists(path := Path(name)))


_Hypotheses = tuple[str, str, Sequence[Utterance], list[str]]  # network, search, utterances, hypotheses


def _by_run(folder: Path, manifest: Path, options: EvaluateOptions, search: Search) -> _Hypotheses:
    packed = paths.packed(folder)
    if packed and not (folder / paths.MODEL).exists():
        raise ValueError(f"{folder} holds no {paths.MODEL}; give its packed file, {packed[0]}")
    config, model = checkpoint(folder)
    device = usable_device(options.device)
    coding = Coding.of(config.data)
    searched = search.describe(coding.alphabet)
    utterances = _read(manifest, model, coding, options)
    groups = batches(utterances, _BATCH)
    decoded = decode(model.to(device), load(groups, coding=coding), device, search)
    hypotheses = dict(zip((u for group in groups for u in group), decoded.hypotheses, strict=True))
    label = f"{config.model.name} at scale={config.scale.name}, seed {config.seed}"
    return f"{folder / paths.MODEL}: {label}", searched, utterances, [hypotheses[utterance] for utterance in utterances]


def _by_file(path: Path, manifest: Path, options: EvaluateOptions, search: Search) -> _Hypotheses:
    if options.device not in ("auto", "cpu"):
        raise UsageError(f"device={options.device}: a packed file is decoded on the CPU; give the run's folder instead")
    packed = network.load(path)
    searched = search.describe(packed.coding.alphabet)
    utterances = _read(manifest, meta_model(packed.config), packed.coding, options)
    with torch.inference_mode():
        found = (log_probs(packed, packed.coding.features(read_audio(each.audio))) for each in utterances)
        hypotheses = [search.text(each, packed.coding.alphabet) for each in found]
    return f"{path}: {packed.config.units} units, packed", searched, utterances, hypotheses


def _read(manifest: Path, model: DeepSpeech2, coding: Coding, options: EvaluateOptions) -> list[Utterance]:
    coding = replace(coding, language=options.normalise or coding.language)
    return read_manifest(manifest, model.output_frames, options.skip_bad, say, coding=coding, decode=True, trained=True)
