"""Shows the epochs of a training in a tracker besides history.csv: TensorBoard, MLflow or Weights & Biases.

A tracker is one class here and one name of `Logger`. It gets numbers by name, once an epoch, and can't harm a training.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from prune_rnn.usage import UsageError


class Logger(Enum):
    """Where the numbers of each epoch go besides history.csv."""

    none = "none"
    tensorboard = "tensorboard"
    mlflow = "mlflow"
    wandb = "wandb"

    def check(self) -> None:
        """Raises UsageError where its package is not installed."""
        if self is not Logger.none and importlib.util.find_spec(self.name) is None:
            raise UsageError(
                f"logger={self.name}: is not installed; pip install 'prune-rnn[{self.name}]', or leave it out"
            )


class Tracker(ABC):
    """What a tracker does; any method may raise what its package does."""

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int) -> None:
        """Takes the numbers of one epoch, by name; a later call with the same step replaces them."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is not yet written."""


class TensorBoard(Tracker):
    """Events in results/tensorboard/<run>, for `tensorboard --logdir results/tensorboard`. Those of an earlier process
    are hidden: the epochs of the history are logged again."""

    def __init__(self, results: Path, name: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(results / "tensorboard" / name, purge_step=0)

    def log(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class MLflow(Tracker):
    """Metrics of a run of the experiment prune-rnn, where MLflow keeps its runs (MLFLOW_TRACKING_URI)."""

    def __init__(self, results: Path, name: str) -> None:
        import mlflow

        mlflow.set_experiment("prune-rnn")
        there = mlflow.search_runs(filter_string=f"attributes.run_name = '{name}'", output_format="list")
        mlflow.start_run(there[0].info.run_id if there else None, run_name=name)
        self._mlflow: Any = mlflow

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._mlflow.log_metrics(dict(values), step=step)

    def close(self) -> None:
        self._mlflow.end_run()


class WandB(Tracker):
    """A run of the project prune-rnn, as WANDB_MODE and the like say; its files lie in results/wandb."""

    def __init__(self, results: Path, name: str) -> None:
        import wandb

        self._run: Any = wandb.init(project="prune-rnn", name=name, id=name, resume="allow", dir=str(results))

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


_TRACKERS: dict[Logger, Callable[[Path, str], Tracker]] = {
    Logger.tensorboard: TensorBoard,
    Logger.mlflow: MLflow,
    Logger.wandb: WandB,
}
Log = Callable[[Mapping[str, float]], None]  # of a row of the history, and what else was measured in the epoch


@contextmanager
def tracked(
    logger: Logger, folder: Path, history: Sequence[Mapping[str, float]], say: Callable[[str], None]
) -> Iterator[Log]:
    """Yields what logs an epoch; first it logs those of the history. A tracker that fails is reported and left out.

    folder: of the run. say: prints a line.
    """
    tracker: Tracker | None = None

    def tried(do: Callable[[], object]) -> None:
        nonlocal tracker
        try:
            do()
        except Exception as error:
            tracker = None
            say(f"warning: logger={logger.name}: {error}; the training goes on without it, history.csv has all epochs")

    def begin() -> None:
        nonlocal tracker
        tracker = _TRACKERS[logger](folder.parent.parent, folder.name)

    def log(row: Mapping[str, float]) -> None:
        if tracker is not None:
            values = {_name(key): float(value) for key, value in row.items() if key not in ("epoch", "step")}
            tried(lambda: tracker.log(values, int(row["step"])))

    if logger is not Logger.none:
        tried(begin)
    for row in history:
        log(row)
    try:
        yield log
    finally:
        if tracker is not None:
            tried(tracker.close)


def _name(key: str) -> str:
    """Returns the key of history.csv as trackers group it.

    >>> _name("sparsity_recurrent"), _name("train_loss"), _name("dev_cer"), _name("seconds")
    ('sparsity/recurrent', 'train/loss', 'dev/cer', 'seconds')
    """
    group, _, rest = key.partition("_")
    return f"{group}/{rest}" if group in ("train", "dev", "sparsity", "threshold") else key
