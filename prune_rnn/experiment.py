"""From a Config to a finished Run: at once where it exists, resumed where it was interrupted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import torch

from prune_rnn import distributed, paths
from prune_rnn.config import Config
from prune_rnn.data import batch, leaks
from prune_rnn.data.batch import Batch, Utterance
from prune_rnn.data.checksums import has_checksums
from prune_rnn.data.manifest import read_manifest
from prune_rnn.evaluate import decode
from prune_rnn.feasible import check_batches, check_memory, warnings
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.progress import Progress
from prune_rnn.run.identity import digest
from prune_rnn.run.outcome import history_row, outcome
from prune_rnn.run.record import in_order, recorded
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.resume import mend_config, resume
from prune_rnn.run.store import Run
from prune_rnn.run.tidy import tidy
from prune_rnn.stopping import Interrupted, stop_requests
from prune_rnn.train import Precision, Trainer
from prune_rnn.typed import Plain
from prune_rnn.usage import UsageError, check_device


def say(text: str) -> None:
    """Prints a line to the error stream, from one process only."""
    if distributed.rank() == 0:
        print(text, file=sys.stderr, flush=True)


def experiment(config: Config, command: str) -> Run:
    """Trains what isn't trained yet and returns the finished run. command: as it was typed, for the record.

    ValueError, OSError and ArithmeticError say what is wrong and leave what there was; Interrupted once the state is
    saved after SIGINT or SIGTERM.
    """
    device = usable_device(config.device)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)  # on CTC's first plateau denormals make a CPU's steps take twice as long
    with distributed.group(device):
        if distributed.rank() == 0:
            tidy(Path(config.results), say)
        config, q_source = resolve(config)
        run = run_of(config)
        if run.finished:
            run.check()
            say(f"{run.folder} is already finished")
            return run
        with run.lock() if distributed.rank() == 0 else nullcontext():
            # once more, with the lock held; all processes have to go the same way
            if distributed.all_reduce_sum(float(run.finished)) == 0:
                _train(config, run, device, q_source, command)
        distributed.barrier()  # the result is there for all of them
    return run


def usable_device(name: str) -> torch.device:
    """Returns the device of that name, `auto` included; ValueError where it can't be used."""
    check_device(name)
    if name in ("auto", "cuda") and torch.cuda.is_available():
        name = f"cuda:{distributed.local_rank()}"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name.startswith("cuda") and int(name[5:] or 0) >= count:
        finds = f"finds {count} CUDA devices, from cuda:0 on" if count else "finds no CUDA device here"
        raise UsageError(f"device={name}: torch {finds}; give device=cpu, or leave it out")
    try:
        device = torch.device("cpu" if name == "auto" else name)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device={name} can't be used ({reason}); try device=cpu or device=auto") from None
    return device


def load_splits(config: Config, model: DeepSpeech2) -> dict[str, list[Utterance]]:
    """Returns the utterances of train, dev and test; makes the synthetic ones where they don't exist yet.

    All recordings are decoded, but for those of train and dev that carry checksums: those are as they were made.
    """
    manifests, skip = config.data.manifests(say), config.data.skips_bad
    splits = {
        split: read_manifest(path, model.output_frames, skip, say, decode=split == "test" or not has_checksums(path))
        for split, path in manifests.items()
    }
    if distributed.rank() == 0:
        for text in leaks.warnings(splits):
            say(f"warning: {text}: the error rates are better than true")
    return splits


def _train(config: Config, run: Run, device: torch.device, q_source: str, command: str) -> None:
    check_memory(config, device)
    torch.manual_seed(config.seed)
    model = DeepSpeech2(config.model).to(device)
    size = config.train.batch_size
    groups = {split: batch.batches(utterances, size) for split, utterances in load_splits(config, model).items()}
    if distributed.world() > min(len(group) for group in groups["train"]):
        raise ValueError(f"train.batch_size={size} leaves some of {distributed.world()} processes without an utterance")
    check_batches(groups["train"], model, distributed.world(), size)
    for text in warnings(config, groups["train"]):
        say(f"warning: {text}")
    load = partial(batch.load, workers=config.train.load_workers)
    steps_per_epoch = config.train.steps_per_epoch or len(groups["train"])
    masker = config.prune.masker(config.prune.weights(model), steps_per_epoch)
    trainer = Trainer(model, masker, config.train, groups["train"], load, seed=config.seed, device=device)
    history: list[Plain] = []
    processes = earlier = [distributed.world()]  # from the beginning on, a number for each change
    precisions = [trainer.precision.name]  # the same
    best: Plain = {}  # epoch, cer and model of the best epoch since pruning ended
    first, own = distributed.rank() == 0, digest(config)
    if run.begun:

        def restore(state: Plain) -> None:
            nonlocal history, best, earlier, precisions
            if state.get("digest", own) != own:  # checkpoints of older versions have none
                raise ValueError(f"it is of the run {state['digest']}")
            history, best, earlier = state["history"], state["best"], state.get("processes", processes)
            before = state.get("precisions", [config.train.precision.identity])
            precisions = before if before[-1:] == precisions else [*before, *precisions]
            if best:
                model.load_state_dict(best["model"])  # whether it fits: the end of the training needs it
            trainer.load_state_dict(state["trainer"])
            if len(history) != trainer.epoch - 1:
                raise ValueError(f"{len(history)} rows of history in epoch {trainer.epoch}")

        resume(run, restore, say)
        if first:
            mend_config(run, config, q_source, say)
            if history:
                run.write_history(history)
        say(f"{run.folder}: resuming from epoch {trainer.epoch}, step {trainer.step}")
        if len(precisions) > 1:
            say(f"{run.folder}: trained in {in_order(precisions)}, as this machine multiplies: sums differ")
        if earlier[-1:] != processes:
            say(f"{run.folder}: was trained by {earlier[-1]} processes and goes on with {processes[0]}: sums differ")
            processes = [*earlier, *processes]
        else:
            processes = earlier
    else:
        parameters = sum(p.numel() for p in model.parameters())
        started = [f"{run.folder}: {parameters:,} parameters", config.prune.goal(q_source), _precision(trainer)]
        say(", ".join(filter(None, started)))
        if first:
            run.write_config(recorded(config, q_source))

    def save() -> None:
        if first:
            state = {
                "digest": own,
                "trainer": trainer.state_dict(),
                "history": history,
                "best": best,
                "processes": processes,
                "precisions": precisions,
            }
            run.save(paths.CHECKPOINT, state)

    steps = config.train.epochs * trainer.steps_per_epoch
    with stop_requests() as stop, Progress(steps, trainer.step, config.train.epochs, silent=not first) as progress:
        if history:
            progress.cer = history[-1]["dev_cer"]
        while not trainer.finished:
            _epoch(trainer, progress, stop, save, config.train.checkpoint_minutes)
            watched = _watched(load(groups["dev"]), len(groups["dev"]), "dev", progress)
            dev = decode(model, _until(partial(_agreed, stop), save, watched), device).scores()
            progress.epoch(trainer.epoch, dev.cer.rate)
            history.append(history_row(trainer, dev))
            if masker.done(trainer.step) and dev.cer.rate < best.get("cer", float("inf")):
                weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
                best = {"epoch": trainer.epoch, "cer": dev.cer.rate, "model": weights}
            trainer.next_epoch()
            if first:
                run.write_history(history)
            save()
        if not first:
            return
        model.load_state_dict(best["model"])
        masker.check()
        watched = _watched(load(groups["test"]), len(groups["test"]), "test", progress)
        test = decode(model, _until(stop, lambda: None, watched), device)  # the state is that after the last epoch
    speakers = [utterance.speaker for group in groups["test"] for utterance in group]
    run.write_hypotheses(test.references, test.hypotheses, speakers)
    run.save(paths.MODEL, {"model": best["model"], "config": recorded(config, q_source).plain()})
    run.finish(
        outcome(config, trainer, history, best["epoch"], test.scores(), q_source, command, processes, precisions)
    )


def _precision(trainer: Trainer) -> str:
    """Returns the precision of products, and why it is this one where the machine decides."""
    name = trainer.precision.name
    if trainer.config.precision is not Precision.auto:
        return f"products in {name}"
    hardware = "multiplies bfloat16 in hardware" if name == "bfloat16" else "has no hardware for bfloat16"
    return f"products in {name} (train.precision=auto: this machine {hardware})"


def _agreed(stop: Callable[[], bool]) -> bool:
    """Tells whether any process was asked to stop; all of them have to ask at once."""
    return distributed.all_reduce_sum(float(stop())) > 0


def _watched(batches: Iterator[Batch], total: int, split: str, progress: Progress) -> Iterator[Batch]:
    """Yields the batches of a split, showing how many are done."""
    for done, one in enumerate(batches):
        progress.evaluation(split, done, total)
        yield one


def _until(stop: Callable[[], bool], save: Callable[[], None], batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yields the batches; asked to stop, saves before the next one, and raises Interrupted."""
    for one in batches:
        if stop():
            save()
            raise Interrupted
        yield one


def _epoch(
    trainer: Trainer, progress: Progress, stop: Callable[[], bool], save: Callable[[], None], minutes: float
) -> None:
    """Trains the rest of an epoch; saves from time to time, and before it obeys a request to stop."""
    saved = time.monotonic()
    last = trainer.steps_per_epoch
    for _ in trainer.steps():
        progress.step(trainer.step, trainer.epoch, trainer.train_loss, trainer.masker, last=trainer.position == last)
        if _agreed(stop):
            save()
            raise Interrupted
        if time.monotonic() - saved > 60 * minutes:
            save()
            saved = time.monotonic()
