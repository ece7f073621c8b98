"""Whether runs, packed files and made speech are still what was written: `prune-rnn verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from prune_rnn import files, paths
from prune_rnn.analyse import finished
from prune_rnn.data import checksums as speech
from prune_rnn.deploy import file as packed
from prune_rnn.deploy import network
from prune_rnn.files import write_atomically
from prune_rnn.run import checksums, sealed
from prune_rnn.run.store import Run
from prune_rnn.run.tidy import left_behind
from prune_rnn.usage import FAULTS

Check = Callable[[], bool]  # whether the file has a checksum; ValueError or OSError, naming it, where it is damaged
_SEALED, _PACKED = ".pt", ".safetensors"


@dataclass(kw_only=True, slots=True)
class VerifyOptions:
    """What `prune-rnn verify` can be asked for."""

    results: str = "results"
    unsealed: bool = False
    seal: bool = False


def verify(places: Sequence[Path], options: VerifyOptions, tell: Callable[[str], None] = print) -> bool:
    """Whether nothing is damaged or, unless options.unsealed, without a checksum; names what is, and counts it last.

    Asked to seal, gives those without one their checksum. What has one keeps it, right or wrong.
    places: folders of runs or of made speech, packed files, checkpoints. ValueError where one is none of these, and
    where none is named and there is no run.
    """
    folders = sorted(path for path in paths.runs(Path(options.results)).glob("*") if path.is_dir())
    everything = [folder for folder in folders if not Run(folder).empty]
    if not places and not everything:
        raise ValueError(
            f"{paths.runs(Path(options.results))} holds no run; train one, or give --results or a RUN or FILE"
        )
    count, bare, damaged = 0, 0, 0
    for place in places or everything:
        without, errors = [], set[str]()  # what one file has, those read with it have as well
        for path, check in _checks(place, named=bool(places)):
            count += 1
            try:
                if not check():
                    without.append(path)
            except FAULTS as error:
                text = str(error) if f"{place}" in str(error) else f"{path}: {error}"
                if text not in errors:
                    tell(text)
                errors.add(text)
        damaged += len(errors)
        if without and options.seal and not errors:
            with Run(place).lock() if place.is_dir() else nullcontext():
                for path in without:
                    _seal(path)
            tell(f"{place}: given a checksum: {_names(without)}")
        elif without:
            bare += len(without)
            tell(f"{place}: unsealed, without a checksum: {_names(without)}")
        for path in left_behind(Run(place)) if place.is_dir() else []:
            tell(f"{path} is being written, or was left by a process that was cut off; the next training removes it")
    tell(f"{count} files: {damaged} damaged, {bare} without a checksum")
    return damaged == 0 and (bare == 0 or options.unsealed)


def _names(files: Sequence[Path]) -> str:
    return ", ".join(path.name for path in files)


def _checks(place: Path, *, named: bool) -> Iterator[tuple[Path, Check]]:
    """Yields every file of a place, with what checks it. named: by the user, whose folder it may be, and no run's."""
    if place.is_file() and place.suffix in (_SEALED, _PACKED):
        yield place, partial(_saved if place.suffix == _SEALED else _packed, place)
    elif (place / speech.NAME).exists():
        for path in speech.files(place):
            yield path, partial(_speech, path, place)
    elif (run := Run(place)).there or (place.is_dir() and not named):
        texts = {paths.CONFIG: _config}
        if run.finished:
            texts |= {paths.RESULT: _result, paths.HISTORY: _history, paths.HYPOTHESES: _hypotheses}
        listed = (place / paths.CHECKSUMS).exists()
        for name, text in texts.items():
            if name != paths.HYPOTHESES or listed or (place / name).exists():
                yield place / name, partial(_text, run, text, listed or not run.finished)
        for path in sorted(place.iterdir()):
            if path.name == paths.MODEL and run.finished:
                yield path, partial(_weights, run)
            elif path.suffix == _SEALED:
                yield path, partial(_saved, path)
            elif path.suffix == _PACKED:
                yield path, partial(_packed, path, run)
    else:
        raise ValueError(
            f"{place} is neither the folder of a run nor a packed file; give such, or nothing for all runs"
        )


def _text(run: Run, check: Callable[[Run], object], listed: bool) -> bool:
    check(run)
    return listed


def _config(run: Run) -> None:
    if not run.there:
        raise ValueError(f"{run.folder} holds no file of a run; move it elsewhere")
    run.check_name(run.config())


def _result(run: Run) -> None:
    run.result()


def _history(run: Run) -> None:
    finished.read(run).history()


def _hypotheses(run: Run) -> None:
    if finished.read(run).edits() is None:
        raise ValueError(f"{run.folder / paths.HYPOTHESES} is missing; delete {run.folder} and train again")


def _saved(path: Path) -> bool:
    return Run(path.parent).load_with_seal(path.name)[1]


def _weights(run: Run) -> bool:
    return network.read_weights(run)[2]


def _packed(path: Path, run: Run | None = None) -> bool:
    found = packed.read(path)
    if run is not None and found.config != run.config():
        raise ValueError(f"{path} is of another run than {run.folder}; export it again")
    return found.has_checksum


def _seal(path: Path) -> None:
    """Gives a file, which has none, its checksum; a text of a run together with the others there."""
    if path.suffix == _SEALED:
        sealed.seal(archive := BytesIO(files.read(path, files.TENSORS)))
        write_atomically(path, archive.getvalue())
    elif path.suffix == _PACKED:
        write_atomically(path, packed.sealed(files.read(path, files.TENSORS)))
    elif not (path.parent / paths.CHECKSUMS).exists():
        checksums.write(path.parent, {})


def _speech(path: Path, folder: Path) -> bool:
    speech.check(path, folder)
    return True
