"""From what networks runs start or learn: seeds of one setting do so from seeds of one setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.sources import weights_of
from prune_rnn.run.identity import digest_of, whatever_seed
from prune_rnn.run.store import Run
from prune_rnn.source.content import content
from prune_rnn.typed import Plain


def origins(runs: Sequence[Finished], others: Iterable[Finished] = ()) -> dict[str, str]:
    """Returns the origin of each run, by its name: the same for seeds of one setting, "" without a start or teacher.

    So a network that is pruned in one round and one that is pruned in three are no seeds of one setting. A start or
    teacher is looked for among the runs and the others; one that isn't there counts by the digest of its weights.
    """
    wanted = {weights for run in runs for weights in _weights(run).values()}
    sources: dict[str, Finished] = {}
    for run in [*runs, *others] if wanted else []:
        if path := weights_of(Run(run.folder)):
            with suppress(OSError, ValueError):  # damaged: `prune-rnn verify` names it
                sources[content("init", str(path))] = run

    def setting(run: Finished) -> str:
        return digest_of({**whatever_seed(run.config.identity), "origin": origin(run)})

    def origin(run: Finished) -> str:
        found: Plain = {
            key: setting(sources[weights]) if weights in sources else weights for key, weights in _weights(run).items()
        }
        return digest_of(found) if found else ""

    return {run.name: origin(run) for run in runs}


def _weights(run: Finished) -> dict[str, str]:
    """Returns the digests of the weights that a run started from and learnt from."""
    own = run.config.identity
    found = {"init": own["init"]} if "init" in own else {}
    return found | ({"teacher": own["teacher"]["weights"]} if "teacher" in own else {})
