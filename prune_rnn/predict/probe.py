"""Times a training step on this machine, and a recurrent layer, dense against pruned."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import soundfile
import torch
from torch import Tensor, UntypedStorage
from torch.autograd.graph import saved_tensors_hooks

from prune_rnn.bench import ours
from prune_rnn.bench.job import LAYER
from prune_rnn.bench.matrices import UNSTRUCTURED, Masked, Shape, masked
from prune_rnn.bench.measure import job_of
from prune_rnn.config.config import Config
from prune_rnn.data.batch import Batch, Utterance, collate
from prune_rnn.data.coding import Coding
from prune_rnn.engine.timing import in_turn
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.predict.amount import Amount
from prune_rnn.run.identity import plain
from prune_rnn.speech.features import SAMPLE_RATE, frames
from prune_rnn.train.distributed import usable_device
from prune_rnn.train.feasible import check_memory
from prune_rnn.train.loop import Trainer

_LENGTHS = (0.6, 1.0, 1.4)  # of the batches, times the mean utterance
_SHORT = 0.5  # seconds of an utterance, in a network whose whole batch would take minutes
_CHARACTERS = 14  # a second of speech
_FEW = 4  # utterances, in such a network
_LARGE = 3e8  # parameters times utterances, from which on a batch would
_ROUNDS = 5
_STILL = 1e-9  # learning rate: the weights hardly move, so that noise can't make them diverge


@dataclass(frozen=True, slots=True)
class StepCost:
    """What an optimizer step takes.

    seconds: of the step. steps: that were timed. utterances: of a batch that was timed. kept: bytes that the forward
    pass keeps for the backward pass, a second of speech. busy: whether other work had more than half of the processors.
    """

    seconds: float
    steps: int
    utterances: int
    kept: float
    busy: bool = False


@dataclass(frozen=True, slots=True)
class SpeedUp:
    """One step of a recurrent layer at one stream: the fastest dense and the fastest sparse backend, in seconds."""

    dense: float
    dense_name: str
    sparse: float
    sparse_name: str

    @property
    def times(self) -> float:
        """How many times as fast the sparse one is."""
        return self.dense / self.sparse


def step_cost(config: Config, speech: Amount, seconds: float) -> StepCost:
    """Times optimizer steps of a resolved configuration on recordings of noise, for about so many seconds.

    A large network is timed with 1 and with 4 utterances; a whole batch is on the line through both. UsageError where
    the device is not there or its memory too small.
    """
    busy = os.getloadavg()[0] > (os.cpu_count() or 1) / 2
    device = usable_device(config.device)
    check_memory(config, device)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)  # as `prune-rnn train` does
    torch.manual_seed(0)
    model = DeepSpeech2(config.model).to(device)
    parameters, size = sum(p.numel() for p in model.parameters()), config.train.batch_size
    masker = config.prune.masker(config.prune.weights(model), speech.steps or 1000, gates=model.gates())
    groups, coding = [[Utterance(Path("noise"), 0, "")]], Coding.of(plain(config.data))
    still = replace(config.train, learning_rate=_STILL)
    trainer = Trainer(model, masker, still, groups, lambda _: iter(()), seed=0, device=device)
    if parameters * size < _LARGE or size <= _FEW:
        step, count, kept = _timed(trainer, coding, size, [speech.seconds * each for each in _LENGTHS], seconds)
        return StepCost(step, count, size, kept, busy)
    one, few = (_timed(trainer, coding, count, [_SHORT], seconds / 2) for count in (1, _FEW))
    an_utterance = max(0.0, few[0] - one[0]) / (_FEW - 1) * speech.seconds / _SHORT
    return StepCost(one[0] + an_utterance * size, one[1] + few[1], _FEW, few[2], busy)


def _timed(
    trainer: Trainer, coding: Coding, size: int, lengths: Sequence[float], seconds: float
) -> tuple[float, int, float]:
    """Returns the seconds of a step, a mean over the lengths, the number of timed steps, and the bytes kept.

    lengths: of the utterances in seconds. kept: by the forward pass for the backward pass, a second of speech; counted
    in a first round, which is not timed. Of the rounds the median counts. A step reads its audio, as in training.
    """
    found: list[float] = []
    with TemporaryDirectory() as folder:
        groups = [_noise(Path(folder), size, length, coding) for length in lengths]
        until = time.perf_counter() + seconds
        kept = sum(_kept(trainer, collate(group, coding)) for group in groups) / size / sum(lengths)
        while not found or time.perf_counter() < until:
            start = time.perf_counter()
            for group in groups:
                trainer.one_step(collate(group, coding), 0)
            found.append((time.perf_counter() - start) / len(groups))
    return median(found), len(groups) * len(found), kept


def _kept(trainer: Trainer, batch: Batch) -> int:
    """Returns the bytes that the forward pass of a step keeps for the backward pass."""
    parameters = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
    found: dict[int, UntypedStorage] = {}  # held, so that no address comes twice

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            found[storage.data_ptr()] = storage
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        trainer.one_step(batch, 0)
    return sum(storage.nbytes() for storage in found.values())


def _noise(folder: Path, size: int, seconds: float, coding: Coding) -> list[Utterance]:
    """Writes so many recordings of noise as FLAC, with a transcript of letters in turn."""
    generator = torch.Generator().manual_seed(0)
    letters = [each for each in coding.alphabet[1:] if each != " "]  # the first is the blank
    samples = int(seconds * SAMPLE_RATE)
    text = "".join(letters[i % len(letters)] for i in range(int(_CHARACTERS * seconds)))
    found = []
    for number in range(size):
        path = folder / f"{seconds}-{number}.flac"
        soundfile.write(path, 0.1 * torch.randn(samples, generator=generator).numpy(), SAMPLE_RATE)
        found.append(Utterance(path, frames(samples), text))
    return found


def speed_up(config: Config, density: float, seconds: float) -> SpeedUp | None:
    """Times the recurrent layer on the CPU, dense and with a random mask, for about so many seconds.

    One step of one stream, by the fastest format of each type of weights. None without the compiled engine.
    """
    cell, units, threads = config.model.cell.value, config.model.units, torch.get_num_threads()
    generator = torch.Generator().manual_seed(0)
    rows = cell.gates * units
    dense, thin = (masked(rows, units, sparsity, False, generator) for sparsity in (0.0, 1 - density))
    job = job_of(LAYER, Shape("layer", "", cell, units), dense, 1, threads)
    with torch.no_grad():
        ways = [
            *ours.dense(job, "cpu"),
            *ours.sparse(replace(job, weight=thin), Masked(1 - density, UNSTRUCTURED, thin), "cpu"),
        ]
        work: list[Callable[[], object]] = [run for _, run in ways]
        least = [min(each) / job.steps for each in in_turn(work, _ROUNDS, seconds / _ROUNDS / len(work) / 2)]
    found = [(each, way.name, way.sparsity is None) for each, (way, _) in zip(least, ways, strict=True)]
    fastest_dense = min(each for each in found if each[2])
    fastest_sparse = min((each for each in found if not each[2]), default=None)
    return None if fastest_sparse is None else SpeedUp(*fastest_dense[:2], *fastest_sparse[:2])
