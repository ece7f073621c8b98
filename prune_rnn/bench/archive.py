"""The files of a finished benchmark, written and read only here: `all.csv` and `conditions.json` in one folder.

all.csv: a row a measurement, the columns of `Row`. conditions.json: the fields of `Conditions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from prune_rnn.bench.candidate import Measurement
from prune_rnn.files import LINES, VALUES, write_atomically
from prune_rnn.files import read as read_file
from prune_rnn.values import from_json

ROWS, CONDITIONS = "all.csv", "conditions.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measurement. Times in microseconds: of a product, of a step of a layer, of a network's second of audio.

    sparsity: zeros / all; None where it is dense. weights: the type of the weights in the product. exact: False where
    it does a little less than the job. packing_s: seconds. bytes: of the packed matrix.
    stage: of a network, whose time it is; "": all of the job.
    """

    workload: str
    shape: str
    label: str
    streams: int
    sparsity: float | None
    mask: str
    name: str
    weights: str
    exact: bool
    format: str
    median_us: float
    first_quartile_us: float
    third_quartile_us: float
    least_us: float
    rounds: int
    packing_s: float | None = None
    bytes: int | None = None
    stage: str = ""

    @property
    def dense(self) -> bool:
        """Whether it multiplies with the zeros too."""
        return self.sparsity is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions that the numbers were measured under.

    engine: its instruction set; None: not compiled. load: of the machine after the run. baselines: by shape, the shape
    whose dense time the paper compares with. paper: by shape, the published `us` and `speedup`.
    """

    machine: str
    device: str
    threads: int
    engine: str | None
    version: str
    commit: str | None
    libraries: dict[str, str]
    missing: list[str]
    command: str
    rounds: int
    seconds: float
    load: float | None
    baselines: dict[str, str] = field(default_factory=dict)
    paper: dict[str, dict[str, float]] = field(default_factory=dict)


def row(m: Measurement, label: str) -> Row:
    """Returns the row of a measurement: times in microseconds to 3 decimals, packing in seconds to 4."""
    c = m.candidate
    return Row(
        workload=m.workload,
        shape=m.shape,
        label=label,
        streams=m.streams,
        sparsity=c.sparsity,
        mask=c.mask,
        name=c.name,
        weights=c.dtype,
        exact=c.exact,
        format=c.format,
        median_us=round(m.median, 3),
        first_quartile_us=round(m.quartiles[0], 3),
        third_quartile_us=round(m.quartiles[1], 3),
        least_us=round(m.least, 3),
        rounds=len(m.microseconds),
        packing_s=None if c.packing_seconds is None else round(c.packing_seconds, 4),
        bytes=c.bytes,
        stage=c.stage,
    )


def write(folder: Path, rows: Iterable[Row], conditions: Conditions) -> None:
    """Writes both files; raises OSError that names the file where that fails."""
    frame = pd.DataFrame([asdict(each) for each in rows], columns=[each.name for each in fields(Row)])
    csv = frame.astype({"bytes": "Int64"}).to_csv(index=False, lineterminator="\n")
    write_atomically(folder / ROWS, csv.encode())
    write_atomically(folder / CONDITIONS, (json.dumps(asdict(conditions), indent=1) + "\n").encode())


def read(folder: Path) -> tuple[list[Row], Conditions]:
    """Returns what `write` wrote; raises OSError where a file is missing, ValueError where it is not one of these."""
    try:
        frame = pd.read_csv(BytesIO(read_file(folder / ROWS, LINES)), dtype={"bytes": "Int64"})
        rows = [
            Row(**{str(key): _plain(key, value) for key, value in each.items()}) for each in frame.to_dict("records")
        ]
        conditions = Conditions(**from_json(read_file(folder / CONDITIONS, VALUES).decode()))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder}: not the files of a benchmark ({error}); run prune-rnn bench again") from error
    return rows, conditions


def _plain(key: object, value: Any) -> Any:
    if pd.isna(value):
        return "" if key in ("format", "stage") else None
    return value
