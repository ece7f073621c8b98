"""From a Config to a finished Run: at once where it exists, resumed where it was interrupted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import torch

from prune_rnn import paths
from prune_rnn.config.config import Config
from prune_rnn.data import leaks
from prune_rnn.data.batch import Batch, Utterance, batches
from prune_rnn.data.coding import Coding
from prune_rnn.data.loader import load as load_batches
from prune_rnn.data.utterances import read_manifest
from prune_rnn.integrity import corpus
from prune_rnn.integrity.tidy import tidy
from prune_rnn.model.deepspeech2 import DeepSpeech2
from prune_rnn.native import library
from prune_rnn.run.identity import digest, plain
from prune_rnn.run.outcome import epoch_measures, outcome
from prune_rnn.run.record import in_order, recorded
from prune_rnn.run.resolve import resolve, run_of
from prune_rnn.run.resume import mend_config, resume
from prune_rnn.run.store import Run
from prune_rnn.source.load import sparser_than_the_goal, start_of, teacher_of
from prune_rnn.train import distributed
from prune_rnn.train.decode import Decoded, decode
from prune_rnn.train.feasible import check_batches, check_memory, far_off, warnings
from prune_rnn.train.loop import Groups, Load, Trainer
from prune_rnn.train.progress import Progress
from prune_rnn.train.recipe import Precision, TrainConfig
from prune_rnn.train.session import Session
from prune_rnn.train.stopping import Interrupted, stop_requests
from prune_rnn.train.trackers import Log, Logger, tracked


def say(text: str) -> None:
    """Prints a line to the error stream, from one process only."""
    if distributed.rank() == 0:
        print(text, file=sys.stderr, flush=True)


def experiment(config: Config, command: str) -> Run:
    """Trains what isn't trained yet and returns the finished run. command: as it was typed, for the record.

    Raises ValueError, OSError or ArithmeticError, which leave the run as it was, and Interrupted after SIGINT or
    SIGTERM, with the state saved.
    """
    device = distributed.usable_device(config.device)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    library.built()  # refused before anything is made
    config.logger.check()
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


def load_splits(config: Config, model: DeepSpeech2) -> dict[str, list[Utterance]]:
    """Returns the utterances of train, dev and test; makes the synthetic ones where they don't exist yet.

    All recordings are decoded, but for those of train and dev of a corpus with checksums: those are as they were made.
    """
    manifests, skip, coding = config.data.manifests(say), config.data.skips_bad, Coding.of(plain(config.data))

    def read(split: str, path: Path) -> list[Utterance]:
        decoded = split == "test" or not corpus.made(path.parent)
        return read_manifest(path, model.output_frames, skip, say, coding=coding, decode=decoded)

    splits = {split: read(split, path) for split, path in manifests.items()}
    if distributed.rank() == 0:
        for text in leaks.warnings(splits):
            say(f"warning: {text}: the error rates look better than they are")
    return splits


def _train(config: Config, run: Run, device: torch.device, q_source: str, command: str) -> None:
    if paths.has_weights(run.folder) and not run.begun:
        lost = f"{run.folder / paths.RESULT} is missing, and the weights of the finished run are there"
        raise ValueError(f"{lost}; restore the file, or delete the folder to train again")
    check_memory(config, device)
    torch.manual_seed(config.seed)
    model = DeepSpeech2(config.model).to(device)
    start, teacher = start_of(config), teacher_of(config, device)  # refused before any speech is read
    groups = _batches(config, model)
    coding = Coding.of(plain(config.data))
    load = partial(load_batches, coding=coding, workers=config.train.load_workers)
    if start is not None and not run.begun:
        start.fill(model, coding.alphabet, load(start.sample(groups["train"])), device)
        if new := [character for character in coding.alphabet if character not in start.coding.alphabet]:
            say(f"{start.named}: has no {' '.join(new)}; the output weights of these characters start untrained")
    q, weights = config.prune.magnitudes(), config.prune.weights(model)
    for text in [*sparser_than_the_goal(config, start), *far_off(q, weights, trained=False)]:
        say(f"warning: {text}")
    steps_per_epoch = config.train.steps_per_epoch or len(groups["train"])
    masker = config.prune.masker(weights, steps_per_epoch, seed=config.seed, gates=model.gates())
    if start is not None:
        masker.keep_zeros()
    trainer = Trainer(
        model, masker, config.train, groups["train"], load, seed=config.seed, device=device, teacher=teacher
    )
    session = Session(trainer, run, digest(config))
    if run.begun:
        _go_on(session, config, q_source)
    else:
        _begin(session, config, q_source)
    logger = config.logger if distributed.rank() == 0 else Logger.none
    with tracked(logger, run.folder, session.history, say) as log:
        test = _run(session, groups, load, config.train, log)
    if test is None:
        return
    for text in far_off(q, weights, trained=True):
        say(f"warning: {text}")
    speakers = [utterance.speaker for group in groups["test"] for utterance in group]
    run.write_hypotheses(test.references, test.hypotheses, speakers)
    run.save(paths.MODEL, {"model": session.best["model"], "config": recorded(config, q_source).values})
    epoch, how = session.best["epoch"], (session.processes, session.precisions)
    run.finish(outcome(config, trainer, session.history, epoch, test.scores(), q_source, command, *how))


def _batches(config: Config, model: DeepSpeech2) -> dict[str, Groups]:
    """Returns the checked batches of train, dev and test."""
    size, world = config.train.batch_size, distributed.world()
    groups = {split: batches(utterances, size) for split, utterances in load_splits(config, model).items()}
    if world > min(len(group) for group in groups["train"]):
        raise ValueError(f"train.batch_size={size} leaves some of {world} processes without an utterance")
    check_batches(groups["train"], model, world, size)
    for text in warnings(config, groups["train"]):
        say(f"warning: {text}")
    return groups


def _begin(session: Session, config: Config, q_source: str) -> None:
    parameters = sum(p.numel() for p in session.model.parameters())
    started = [f"{session.run.folder}: {parameters:,} parameters", config.prune.goal(q_source)]
    sources = [f"{key}={where}" for key, where in (("init", config.init), ("teacher", config.teacher)) if where]
    say(", ".join(filter(None, [*started, *sources, _precision(session.trainer)])))
    if distributed.rank() == 0:
        session.run.write_config(recorded(config, q_source))


def _go_on(session: Session, config: Config, q_source: str) -> None:
    """Restores the session from the run's checkpoint, and reports what has changed since."""
    run, trainer = session.run, session.trainer
    resume(run, session.load_state_dict, say)
    if distributed.rank() == 0:
        mend_config(run, config, q_source, say)
        if session.history:
            run.write_history(session.history)
    say(f"{run.folder}: resuming from epoch {trainer.epoch}, step {trainer.step}")
    if len(session.precisions) > 1:
        say(f"{run.folder}: trained in {in_order(session.precisions)} on different machines: rounding differs")
    if len(session.processes) > 1:
        before, now = session.processes[-2:]
        say(f"{run.folder}: was trained by {before} processes and goes on with {now}: rounding differs")


def _run(session: Session, groups: dict[str, Groups], load: Load, config: TrainConfig, log: Log) -> Decoded | None:
    """Trains the remaining epochs; returns the test split as the best weights decode it (None: other processes)."""
    trainer, model, device = session.trainer, session.trainer.model, session.trainer.device
    first = distributed.rank() == 0
    steps = config.epochs * trainer.steps_per_epoch
    with stop_requests() as stop, Progress(steps, trainer.step, config.epochs, silent=not first) as progress:
        if session.history:
            progress.cer = session.history[-1]["dev_cer"]
        while not trainer.finished:
            _epoch(trainer, progress, stop, session.save, config.checkpoint_minutes)
            dev = _watched("dev", groups["dev"], load, progress, partial(_agreed, stop), session.save)
            scores = decode(trainer.tested, dev, device).scores()
            progress.epoch(trainer.epoch, scores.cer.rate)
            measured = epoch_measures(trainer)
            session.end_epoch(scores)
            log(session.history[-1] | measured)
        if not first:
            return None
        model.load_state_dict(session.best["model"])
        trainer.masker.check()
        # no save: the checkpoint is that after the last epoch
        return decode(model, _watched("test", groups["test"], load, progress, stop, lambda: None), device)


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


def _watched(
    split: str, groups: Groups, load: Load, progress: Progress, stop: Callable[[], bool], save: Callable[[], None]
) -> Iterator[Batch]:
    """Yields the batches of a split, and shows how many are done; on a request to stop saves and raises Interrupted."""
    for done, one in enumerate(load(groups)):
        progress.evaluation(split, done, len(groups))
        if stop():
            save()
            raise Interrupted
        yield one


def _epoch(
    trainer: Trainer, progress: Progress, stop: Callable[[], bool], save: Callable[[], None], minutes: float
) -> None:
    """Trains the rest of an epoch; saves every so many minutes, and on a request to stop, before Interrupted."""
    saved = time.monotonic()
    last = trainer.steps_per_epoch
    for _ in trainer.steps():
        progress.step(
            trainer.step, trainer.epoch, trainer.train_loss, trainer.masker,
            divergence=trainer.divergence, last=trainer.position == last,
        )  # fmt: skip
        if _agreed(stop):
            save()
            raise Interrupted
        if time.monotonic() - saved > 60 * minutes:
            save()
            saved = time.monotonic()
