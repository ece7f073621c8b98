"""Batches one after another, read by processes of their own if wanted, whose end is one error."""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from torch._C import _remove_worker_pids
from torch.utils.data import DataLoader

from prune_rnn.data.batch import Batch, Utterance, collate
from prune_rnn.data.coding import Coding


def load(groups: Sequence[Sequence[Utterance]], workers: int = 0, coding: Coding = Coding()) -> Iterator[Batch]:
    """Yields one Batch for each group of utterances, in order. workers: processes that read; 0: this one."""
    ordered: Any = [list(group) for group in groups]  # a list serves as a data set
    made = partial(_collate, coding=coding)
    options: Any = {"num_workers": workers, "worker_init_fn": _quiet}
    loader = DataLoader(ordered, batch_size=None, collate_fn=made, shuffle=False, **options)
    # Workers inherit this mask: a signal to all, such as Ctrl-C, reaches the training process only.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        found: Any = iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    end = partial(_end, found)
    if workers:
        # torch would raise wherever the training is when a worker is killed; its queue looks for that too, every 5 s
        _remove_worker_pids(id(found))
        found._worker_pids_set = False
        found._workers_done_event = threading.Event()  # torch's has a lock, which stays locked if a worker is killed
        atexit.register(end)  # multiprocessing would wait for the workers
    try:
        for batch in islice(found, len(ordered)):  # torch would ask the workers to end, and wait
            if isinstance(batch, Exception):
                raise batch
            yield batch
    except (RuntimeError, EOFError, ConnectionError) as error:  # whichever comes first when one is killed
        if not workers:
            raise
        reason = str(error).partition("\n")[0].rstrip(". ") or type(error).__name__
        raise RuntimeError(
            f"one of the {workers} processes that read audio has ended ({reason}), most often for want of memory; "
            "give fewer by train.load_workers"
        ) from None
    finally:
        if workers:
            end()
            atexit.unregister(end)


def _end(found: Any) -> None:
    """Kills the workers of torch's iterator, which write nothing; at the exit of Python also for a second time."""
    found._shutdown = True
    for worker in found._workers:
        worker.kill()
        worker.join()
    for queue in found._index_queues:
        queue.cancel_join_thread()
        queue.close()


def _quiet(_: int) -> None:
    """Prints no traceback of a thread in a worker.

    The thread that hands over batches has an error if the training process stops in the middle of one, because another
    worker was killed. That process reports it.
    """
    sys.excepthook = lambda *_: None


def _collate(utterances: Sequence[Utterance], coding: Coding) -> Batch | Exception:
    """Returns the batch or its error; an error raised in a worker would bring that process's traceback."""
    try:
        return collate(utterances, coding)
    except (ValueError, OSError) as error:
        return error
