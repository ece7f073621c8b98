"""Shows the epochs of a training in a tracker besides history.csv: TensorBoard, MLflow or Weights & Biases.

A tracker is one class here and one name of `Logger`. It gets numbers by name, once an epoch. What its package raises is
reported and does not end the training.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from prune_rnn.usage import check_installed


class Logger(Enum):
    """Where the numbers of each epoch go besides history.csv."""

    none = "none"
    tensorboard = "tensorboard"
    mlflow = "mlflow"
    wandb = "wandb"

    def check(self) -> None:
        """Raises UsageError where its package is not installed."""
        if self is not Logger.none:
            check_installed(f"logger={self.name}", self.name, self.name)


class Tracker(ABC):
    """What a tracker does; any method may raise what its package does.

    going_on: whether it holds the earlier epochs of this run.
    """

    going_on: bool

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int) -> None:
        """Takes the numbers of one epoch, by name."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is not yet written."""


class TensorBoard(Tracker):
    """Events in results/tensorboard/<run>, for `tensorboard --logdir results/tensorboard`."""

    def __init__(self, results: Path, name: str, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = results / "tensorboard" / name
        self.going_on = step > 0 and folder.is_dir()
        # what an earlier process logged after this step, or all of it, is hidden
        self._writer: Any = SummaryWriter(folder, purge_step=step + 1 if self.going_on else 0)

    def log(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class MLflow(Tracker):
    """Metrics of a run of the experiment prune-rnn, where MLflow keeps its runs (MLFLOW_TRACKING_URI)."""

    def __init__(self, results: Path, name: str, step: int) -> None:
        import mlflow

        mlflow.set_experiment("prune-rnn")
        there = (
            mlflow.search_runs(filter_string=f"attributes.run_name = '{name}'", output_format="list") if step else []
        )
        self.going_on = bool(there)
        mlflow.start_run(there[0].info.run_id if there else None, run_name=name)
        self._mlflow: Any = mlflow

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._mlflow.log_metrics(dict(values), step=step)

    def close(self) -> None:
        self._mlflow.end_run()


class WandB(Tracker):
    """A run of the project prune-rnn, as WANDB_MODE and the like say; its files lie in results/wandb."""

    def __init__(self, results: Path, name: str, step: int) -> None:
        import wandb

        # a run of this name that began anew replaces the earlier one
        self._run: Any = wandb.init(
            project="prune-rnn", name=name, id=name, resume="allow" if step else None, dir=str(results)
        )
        self.going_on = bool(self._run.resumed)

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


_TRACKERS: dict[Logger, Callable[[Path, str, int], Tracker]] = {
    Logger.tensorboard: TensorBoard,
    Logger.mlflow: MLflow,
    Logger.wandb: WandB,
}
Log = Callable[[Mapping[str, float]], None]  # of a row of the history, and what else was measured in the epoch


@contextmanager
def tracked(
    logger: Logger, folder: Path, history: Sequence[Mapping[str, float]], say: Callable[[str], None]
) -> Iterator[Log]:
    """Yields what logs an epoch. First it logs those of the history that the tracker lacks. A tracker that fails is
    reported and left out.

    folder: of the run. say: prints a line.
    """
    tracker: Tracker | None = None

    def tried(do: Callable[[], object]) -> None:
        nonlocal tracker
        try:
            do()
        except Exception as error:
            failed, tracker = tracker, None
            say(f"warning: logger={logger.name}: {error}; the training goes on without it, history.csv has all epochs")
            if failed is not None:
                with suppress(Exception):
                    failed.close()

    def begin() -> None:
        nonlocal tracker
        step = int(history[-1]["step"]) if history else 0
        tracker = _TRACKERS[logger](folder.parent.parent, folder.name, step)

    def log(row: Mapping[str, float]) -> None:
        if tracker is not None:
            tried(lambda: tracker.log(_values(row), int(row["step"])))

    if logger is not Logger.none:
        tried(begin)
    for row in () if tracker is None or tracker.going_on else history:
        log(row)
    try:
        yield log
    finally:
        if tracker is not None:
            tried(tracker.close)


def _values(row: Mapping[str, float]) -> dict[str, float]:
    return {_name(key): float(value) for key, value in row.items() if key not in ("epoch", "step")}


def _name(key: str) -> str:
    """Returns the key of history.csv as trackers group it.

    >>> _name("sparsity_recurrent"), _name("train_loss"), _name("dev_cer"), _name("seconds")
    ('sparsity/recurrent', 'train/loss', 'dev/cer', 'seconds')
    """
    group, _, rest = key.partition("_")
    return f"{group}/{rest}" if group in ("train", "dev", "sparsity", "threshold") else key
