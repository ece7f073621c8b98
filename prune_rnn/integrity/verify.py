"""`prune-rnn verify`: checks runs, packed files and synthetic speech for damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from prune_rnn import paths
from prune_rnn.analyse import finished
from prune_rnn.deploy import file as packed
from prune_rnn.integrity import corpus
from prune_rnn.integrity.tidy import left_behind
from prune_rnn.run.identity import digest_of
from prune_rnn.run.store import LISTED, Run, run_folders
from prune_rnn.run.weights import read_weights
from prune_rnn.usage import FAULTS

Check = Callable[[], object]  # ValueError or OSError, naming the file, where it is damaged
_SAVED, _PACKED = ".pt", ".safetensors"


def verify(places: Sequence[Path], results: Path, say: Callable[[str], None] = print) -> bool:
    """Whether nothing is damaged; a file without its checksum is. Reports each damaged file, then their number.

    places: folders of runs or of synthetic speech, packed files, checkpoints; all runs of `results` where there is
    none. ValueError for any other place, and where there is no run.
    """
    everything = [run.folder for run in run_folders(results) if not run.empty]
    if not places and not everything:
        raise ValueError(f"{paths.runs(results)} holds no run; train one, or give --results or a RUN or FILE")
    count, damaged = 0, 0
    for place in places or everything:
        errors = set[str]()  # files that are read together have the same error
        for path, check in _checks(place, named=bool(places)):
            count += 1
            try:
                check()
            except FAULTS as error:
                text = str(error) if f"{place}" in str(error) else f"{path}: {error}"
                if text not in errors:
                    say(text)
                errors.add(text)
        damaged += len(errors)
        for path in left_behind(Run(place)) if place.is_dir() else []:
            say(f"{path} is being written, or was left by a process that was cut off; the next training removes it")
    say(f"{count} files: {damaged} damaged")
    return damaged == 0


def _checks(place: Path, *, named: bool) -> Iterator[tuple[Path, Check]]:
    """Yields every file of a place with its check. named: the user named the place, which may belong to no run."""
    run = Run(place)
    if place.is_file() and place.suffix in (_SAVED, _PACKED):
        yield place, partial(_saved if place.suffix == _SAVED else packed.read, place)
    elif (place / corpus.NAME).exists():
        for path in corpus.files(place):
            yield path, partial(corpus.check, path, place)
    elif _has_own_files(run) or (place.is_dir() and not named):
        yield place / paths.CONFIG, partial(_config, run)
        if run.finished:
            yield place / paths.RESULT, run.result
            yield place / paths.HISTORY, lambda: finished.read(run).history()
            yield place / paths.HYPOTHESES, partial(_hypotheses, run)
        for path in sorted(place.iterdir()):
            if path.name == paths.MODEL and run.finished:
                yield path, partial(read_weights, run)
            elif path.suffix == _SAVED:
                yield path, partial(_saved, path)
            elif path.suffix == _PACKED:
                yield path, partial(_packed, path, run)
    else:
        raise ValueError(
            f"{place} is neither the folder of a run nor a packed file; give such, or --results FOLDER for all runs"
        )


def _has_own_files(run: Run) -> bool:
    names = (*LISTED, paths.CHECKSUMS, paths.CHECKPOINT, paths.BEFORE, paths.MODEL)
    return any((run.folder / name).exists() for name in names)


def _config(run: Run) -> None:
    if not _has_own_files(run):
        raise ValueError(f"{run.folder} holds no file of a run; move it elsewhere")
    run.check_name(run.config())


def _hypotheses(run: Run) -> None:
    if finished.read(run).edits() is None:
        raise ValueError(f"{run.folder / paths.HYPOTHESES} is missing; {run.again}")


def _saved(path: Path) -> None:
    Run(path.parent).load(path.name)


def _packed(path: Path, run: Run) -> None:
    if digest_of(packed.read(path).config.values["identity"]) != digest_of(run.config().identity):
        raise ValueError(f"{path} is of another run than {run.folder}; export it again")
