"""All measurements of Table 5: which shapes, which models, in which order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml

from prune_rnn import paths
from prune_rnn.bench import measure as measuring
from prune_rnn.bench.measure import FORCED, LAYER, NETWORK, PRODUCT, Candidate, Measurement, Settings, Shape, Variant
from prune_rnn.config import compose_config, dumped
from prune_rnn.deploy import file as packed_file
from prune_rnn.deploy.file import Packed
from prune_rnn.deploy.network import model_config
from prune_rnn.engine.quantise import Dtype, quantise
from prune_rnn.files import write_atomically
from prune_rnn.model.cells import Cells
from prune_rnn.nearest import nearest

OWN = "own"  # names all packed models at once
BLOCKS = [PRODUCT, LAYER, NETWORK]


@dataclass(kw_only=True, slots=True)
class BenchOptions:
    """Of `prune-rnn bench`."""

    blocks: list[str] = field(default_factory=lambda: list(BLOCKS))
    shapes: list[str] | None = None
    streams: list[int] = field(default_factory=lambda: [1, 4, 16, 64])
    sparsity: list[float] = field(default_factory=lambda: [0.8, 0.9, 0.95])
    models: list[str] | None = None
    threads: int | None = None
    rounds: int = 5
    seconds: float = 0.03
    device: str = "cpu"
    results: str = "results"

    def check(self) -> None:
        """Raises ValueError that names the key, the value and the way out."""
        for block in self.blocks:
            if block not in BLOCKS:
                raise ValueError(f"blocks: {block!r}: " + nearest(block, BLOCKS))
        known = [OWN, *(shape["name"] for shape in layout()["shapes"])]
        for shape in self.shapes or []:
            if shape not in known:
                raise ValueError(f"shapes: {shape!r}: " + nearest(shape, known))
        for key, least in (("rounds", 1), ("threads", 1)):
            value = getattr(self, key)
            if value is not None and value < least:
                raise ValueError(f"{key}={value}: must be {least} or more")
        for key in ("blocks", "shapes", "streams", "sparsity"):
            if getattr(self, key) == []:
                raise ValueError(f"{key}=[]: give one or more")
        if any(streams < 1 for streams in self.streams):
            raise ValueError(f"streams={self.streams}: each must be 1 or more")
        if not all(0 <= sparsity < 1 for sparsity in self.sparsity):
            raise ValueError(f"sparsity={self.sparsity}: each must be a fraction from 0 to below 1")
        if not 0 <= self.seconds <= 60:
            raise ValueError(f"seconds={self.seconds}: must lie between 0 and 60")
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device={self.device}: must be cpu or cuda")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device=cuda: torch finds no CUDA device here; leave it out, or give device=cpu")


def layout() -> dict[str, Any]:
    layout: dict[str, Any] = yaml.safe_load((paths.conf() / "table" / "table5.yaml").read_text())
    return layout


def _models(options: BenchOptions) -> dict[str, Packed]:
    """Returns the packed models by name: those named, else all that lie in run folders."""
    if options.models is not None:
        files = [Path(model) for model in options.models]
    else:
        files = sorted(paths.runs(Path(options.results)).glob("*/model-float32.safetensors"))
    models: dict[str, Packed] = {}
    for file in files:
        name = file.parent.name if file.stem.startswith("model-") else file.stem
        if name in models:
            raise ValueError(f"models: two are called {name!r}; rename {file}, or leave it out")
        models[name] = packed_file.read(file)
    return models


def shapes_of(options: BenchOptions, models: dict[str, Packed]) -> list[Shape]:
    wanted = options.shapes
    shapes = [
        Shape(entry["name"], entry["label"], Cells[entry["cell"]].value, entry["units"], entry["baseline"],
              paper=entry.get("paper", {}))
        for entry in layout()["shapes"]
        if wanted is None or entry["name"] in wanted
    ]  # fmt: skip
    if wanted is None or OWN in wanted:
        for name, model in models.items():
            config, scale = model_config(model.config), model.config["scale"]
            middle = f"recurrent.{config.layers // 2}.recurrent"
            base = round(scale["width"] * (2560 if config.cell is Cells.gru else 1760))
            of_that_size = [
                n for n, m in models.items() if (c := model_config(m.config)).units == base and c.cell is config.cell
            ]
            label = f"{name}, {config.units} units, scale={scale['name']}"
            shapes.append(
                Shape(name, label, config.cell.value, config.units, min(of_that_size, default=""),
                      weight=model.matrices[middle].float())
            )  # fmt: skip
    return shapes


class Unfinished:
    """The groups measured so far, in a file beside the table: the same command goes on after a kill.

    stamp: what must be the same for that (options, versions, commit).
    """

    def __init__(self, path: Path, stamp: str) -> None:
        self.path = path
        self.groups: dict[tuple[str, str, int], list[Measurement]] = {}
        lines = path.read_text().splitlines() if path.is_file() else []
        if lines and lines[0] == stamp:
            for line in lines[1:]:
                try:
                    group = [_measurement(each) for each in json.loads(line)]
                except (ValueError, TypeError, IndexError):  # of another version, or edited
                    break
                self.groups[group[0].block, group[0].shape, group[0].streams] = group
        self._stamp = stamp

    def add(self, group: list[Measurement]) -> None:
        """Keeps one more group."""
        self.groups[group[0].block, group[0].shape, group[0].streams] = group
        lines = [self._stamp, *(json.dumps([asdict(each) for each in group]) for group in self.groups.values())]
        write_atomically(self.path, "".join(f"{line}\n" for line in lines).encode())


def _measurement(kept: dict[str, Any]) -> Measurement:
    return Measurement(**{**kept, "candidate": Candidate(**kept["candidate"])})


def measure(options: BenchOptions, unfinished: Unfinished) -> tuple[list[Measurement], list[Shape], dict[str, str]]:
    """Returns all measurements, the shapes, and the label of each shape and network."""
    settings = Settings(
        options.streams, options.sparsity, options.threads or torch.get_num_threads(), options.rounds, options.seconds,
        options.device,
    )  # fmt: skip
    models = _models(options)
    shapes = shapes_of(options, models)
    labels = {shape.name: shape.label for shape in shapes}
    done = unfinished.groups
    for block in (block for block in (PRODUCT, LAYER) if block in options.blocks):
        for shape in shapes:
            left = [streams for streams in settings.streams if (block, shape.name, streams) not in done]
            for group in measuring.recurrent(block, shape, replace(settings, streams=left)) if left else ():
                unfinished.add(group)
                _tell(shape.label, group)
    if NETWORK in options.blocks and settings.device == "cpu":
        for name, variants in _networks(options, models, labels):
            if (NETWORK, name, 1) not in done:
                unfinished.add(measuring.network(name, variants(), settings))
                _tell(labels[name], done[NETWORK, name, 1])
    measurements = [m for group in done.values() for m in group if m.shape in labels]
    if not measurements:
        raise ValueError("nothing to measure: shapes=[own] needs packed models, by prune-rnn export or models=[...]")
    return measurements, shapes, labels


def _networks(
    options: BenchOptions, models: dict[str, Packed], labels: dict[str, str]
) -> Iterable[tuple[str, Callable[[], list[Variant]]]]:
    """Yields each network's name and what makes its variants; adds its label."""
    wanted = options.shapes
    for entry in layout()["networks"]:
        if wanted is None or entry["name"] in wanted:
            config = compose_config([f"model={entry['model']}", "scale=paper", "prune=none"])
            name = f"network_{entry['name']}"
            labels[name] = f"{entry['label']}, scale=paper, random weights"
            yield name, partial(measuring.random_networks, config.model, dumped(config, ""), options.sparsity)
    if wanted is None or OWN in wanted:
        for name, model in models.items():
            yield name, partial(_own_variants, model)


def _own_variants(model: Packed) -> list[Variant]:
    by_dtype = {
        dtype: replace(model, dtype=dtype, matrices={n: quantise(w.float(), dtype) for n, w in model.matrices.items()})
        for dtype in Dtype
    }
    total = sum(weight.values.numel() for weight in model.matrices.values())
    sparsity = 1 - sum(int(weight.values.count_nonzero()) for weight in model.matrices.values()) / total
    return [(None, "dense", by_dtype), (sparsity, "its own mask", by_dtype)]


def _tell(label: str, group: Sequence[Measurement]) -> None:
    dense = min((m for m in group if m.candidate.sparsity is None), key=lambda m: m.median)
    sparse = [m for m in group if m.candidate.sparsity is not None and m.candidate.structure != FORCED]
    block, streams = group[0].block, group[0].streams
    line = f"{block}, {label}, {streams} stream(s): best dense {dense.median:.1f} us ({dense.candidate.name})"
    if sparse:
        best = min(sparse, key=lambda m: m.median)
        line += f", best sparse {best.median:.1f} us ({best.candidate.name})"
    print(line, file=sys.stderr, flush=True)
