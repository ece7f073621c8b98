"""A forecast as a picture: the sparsity over the epochs, and the CER over the sparsity with its interval."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from matplotlib.ticker import MaxNLocator

from prune_rnn.files import write_atomically
from prune_rnn.predict.forecast import Forecast
from prune_rnn.predict.interval import Expectation
from prune_rnn.report.figures.style import BLUE, VERMILLION, panels, settings
from prune_rnn.usage import UsageError

_BEGIN = {".png": (b"\x89PNG\r\n",), ".svg": (b"<?xml", b"<svg"), ".pdf": (b"%PDF-",)}  # files, by their ending
_DENSITIES = [1.0, *(0.7 * 0.8**step for step in range(17))]


def check(path: Path) -> None:
    """Raises UsageError unless a picture can go there: a PNG, SVG or PDF file, in place of nothing or of another."""
    begin = _BEGIN.get(path.suffix.lower())
    if begin is None:
        raise UsageError(f"--plot {path}: must end in {', '.join(_BEGIN)}")
    if not path.parent.is_dir():
        raise UsageError(f"--plot {path}: there is no folder {path.parent}; make it, or give a file in another")
    if path.exists() and not (path.is_file() and _first(path).startswith(begin)):
        kind = path.suffix[1:].upper()
        raise UsageError(f"--plot {path}: is there and is no {kind} picture; give another file, or delete it")


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def save(of: Forecast, expectation: Expectation, path: Path) -> None:
    """Draws the forecast to a file that `check` has passed. OSError where it can't be written."""
    own = of.setting
    with settings():
        figure, [[course], [error]] = panels(2, 1, 5.6)
        for (layer_type, values), style in zip(of.course.by_epoch.items(), ("-", "--", ":", "-."), strict=False):
            first = values[0] if of.config.prune.starts_sparse else 0.0
            course.plot(
                range(len(values) + 1), [100 * v for v in (first, *values)], style, color=BLUE, label=layer_type
            )
        course.xaxis.set_major_locator(MaxNLocator(integer=True))
        course.set_xlabel("epoch")
        course.set_ylabel("sparsity, %")
        course.set_ylim(0, 100)
        if of.course.by_epoch:
            course.legend()
        if of.cer is not None:
            pruned = [replace(own, density=density) for density in _DENSITIES[1:]] if of.ratio else []
            dense = own.dense()
            line = [expectation.of(each) for each in (dense, *pruned)]
            sparsity = [100 * (1 - density) for density in _DENSITIES[: len(line)]]
            error.fill_between(
                sparsity, [100 * e.low for e in line], [100 * e.high for e in line], color=BLUE, alpha=0.2
            )
            error.plot(sparsity, [100 * e.cer for e in line], color=BLUE)
            ends = [[100 * (of.cer.cer - of.cer.low)], [100 * (of.cer.high - of.cer.cer)]]
            error.errorbar([100 * (1 - own.density)], [100 * of.cer.cer], ends, fmt="o", color=VERMILLION, capsize=3)
        error.set_xlabel("sparsity of the prunable weights, %")
        error.set_ylabel("test CER, %")
        picture = io.BytesIO()
        figure.savefig(picture, format=path.suffix[1:].lower())
    try:
        write_atomically(path, picture.getbuffer())
    except OSError as error:
        raise OSError(f"--plot {error}; give a file in another folder") from None
