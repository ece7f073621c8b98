"""Resumes a run from its last checkpoint or, where that is damaged, from the one before."""

from __future__ import annotations

from collections.abc import Callable

from prune_rnn import paths
from prune_rnn.config.config import Config
from prune_rnn.run.identity import digest, digest_of
from prune_rnn.run.record import recorded
from prune_rnn.run.store import Run
from prune_rnn.typed import Plain

# errors of a state that belongs to no run
MISFITS = (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RuntimeError)


def resume(run: Run, restore: Callable[[Plain], None], say: Callable[[str], None]) -> None:
    """Passes the newest undamaged checkpoint to `restore`, and reports damaged ones.

    restore: raises one of MISFITS for the state of another network. ValueError, with all files to delete, where no
    checkpoint fits.
    """
    there = [name for name in (paths.CHECKPOINT, paths.BEFORE) if (run.folder / name).exists()]
    damaged: list[str] = []
    for name in there:
        try:
            state = run.load(name)
        except ValueError as error:
            damaged.append(str(error).rpartition("; ")[0])
            continue
        try:
            restore(state)
            break
        except MISFITS as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            damaged.append(f"{run.folder / name} does not hold the state of this network ({reason})")
    else:
        there += [paths.MODEL] * (run.folder / paths.MODEL).exists()  # of a run that was about to finish
        raise ValueError(f"{'; '.join(damaged)}; delete {' and '.join(there)} there to train this run anew")
    for text in damaged:
        say(f"{text}; going on from the checkpoint before it")


def mend_config(run: Run, config: Config, q_source: str, say: Callable[[str], None]) -> None:
    """Rewrites config.yaml, with a report, where it is missing or not the run's."""
    try:
        whole = digest_of(run.config().identity) == digest(config)
    except ValueError:
        whole = False
    if not whole:
        say(f"{run.folder / paths.CONFIG} was missing or damaged; it is written anew")
        run.write_config(recorded(config, q_source))
