"""What `prune-rnn bench` measures: its options, the shapes and networks that they name, and the order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import torch
import yaml

from prune_rnn import paths
from prune_rnn.bench import measure, networks, stages
from prune_rnn.bench.candidate import Measurement
from prune_rnn.bench.job import LAYER, NETWORK, PRODUCT, STAGES, WORKLOADS
from prune_rnn.bench.journal import Key
from prune_rnn.bench.matrices import Shape
from prune_rnn.bench.measure import Timing
from prune_rnn.bench.networks import Variant
from prune_rnn.config.nearest import choose
from prune_rnn.deploy.file import Packed
from prune_rnn.model.cells import Cells
from prune_rnn.typed import Plain
from prune_rnn.usage import THREADS, UsageError, of_the_command_line, within

_ROUNDS, _STREAMS = 100_000, 100_000  # at most
OWN = "own"  # names all packed models at once


@dataclass(kw_only=True, slots=True)
class BenchOptions:
    """Options of `prune-rnn bench`."""

    workloads: list[str] = field(default_factory=lambda: list(WORKLOADS))
    shapes: list[str] | None = None
    streams: list[int] = field(default_factory=lambda: [1, 4, 16, 64])
    sparsity: list[float] = field(default_factory=lambda: [0.8, 0.9, 0.95])
    models: list[str] | None = None
    threads: int | None = None
    rounds: int = 5
    seconds: float = 0.03
    device: str = "cpu"
    results: str = "results"

    @of_the_command_line()
    def check(self) -> None:
        """Raises UsageError that names the key, the value and the way out."""
        for key, known in (("workloads", WORKLOADS), ("shapes", [OWN, *(each["name"] for each in layout()["shapes"])])):
            for given in getattr(self, key) or []:
                if given not in known:
                    raise ValueError(f"{key}: {given!r}: " + choose(given, known))
        within("rounds", self.rounds, 1, _ROUNDS)
        within("threads", self.threads, 1, THREADS)
        for key in ("workloads", "shapes", "streams", "sparsity", "models"):
            given = getattr(self, key)
            if given == []:
                raise ValueError(f"{key}=[]: give one or more")
            if given is not None and len(set(given)) < len(given):
                raise ValueError(f"{key}={given}: names one of them more than once; give each once")
        for streams in self.streams:
            within("streams", streams, 1, _STREAMS)
        if not all(0 <= sparsity < 1 for sparsity in self.sparsity):
            raise ValueError(f"sparsity={self.sparsity}: each must be a fraction from 0 to below 1")
        if not 0 <= self.seconds <= 60:
            raise ValueError(f"seconds={self.seconds}: must lie between 0 and 60")
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device={self.device}: must be cpu or cuda")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device=cuda: torch finds no CUDA device here; leave it out, or give device=cpu")

    @property
    def timing(self) -> Timing:
        """How each group is timed."""
        return Timing(self.threads or torch.get_num_threads(), self.rounds, self.seconds, self.device)


def layout() -> Plain:
    """Returns conf/table/table5.yaml: the paper's shapes, and the networks."""
    layout: Plain = yaml.safe_load((paths.conf() / "table" / "table5.yaml").read_text())
    return layout


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A whole network. variants: makes them, which takes seconds and gigabytes."""

    name: str
    label: str
    variants: Callable[[], list[Variant]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and what it is compared with.

    baselines: by shape, the shape whose dense time the paper compares with. paper: by shape, its published `us`
    (microseconds) and `speedup` at one stream and 95 % sparsity.
    """

    options: BenchOptions
    shapes: list[Shape]
    networks: list[NetworkPlan]
    baselines: dict[str, str]
    paper: dict[str, dict[str, float]]

    @property
    def labels(self) -> dict[str, str]:
        """What a reader sees of each shape and network, by name."""
        return {n.name: n.label for n in self.networks} | {s.name: s.label for s in self.shapes}

    def groups(self, done: set[Key]) -> Iterator[list[Measurement]]:
        """Measures and yields group after group, but for those that are done."""
        options, timing = self.options, self.options.timing
        for workload in (PRODUCT, LAYER):
            for shape in self.shapes if workload in options.workloads else ():
                left = [streams for streams in options.streams if (workload, shape.name, streams) not in done]
                if left:
                    yield from measure.recurrent(workload, shape, left, options.sparsity, timing)
        for network in self.networks:
            variants = cache(network.variants)  # made once, and only where something is left to measure
            for workload, measured in ((NETWORK, measure.network), (STAGES, stages.measure)):
                if workload in options.workloads and (workload, network.name, 1) not in done:
                    yield measured(network.name, variants(), timing)


def plan(options: BenchOptions) -> Plan:
    """Returns the plan that the options ask for; reads the packed models.

    Raises ValueError where there is nothing to measure.
    """
    entries = [each for each in layout()["shapes"] if options.shapes is None or each["name"] in options.shapes]
    shapes = [Shape(each["name"], each["label"], Cells[each["cell"]].value, each["units"]) for each in entries]
    baselines = {each["name"]: each["baseline"] for each in entries}
    models: dict[str, Packed] = {}
    if options.shapes is None or OWN in options.shapes:
        files = None if options.models is None else [Path(model) for model in options.models]
        models = networks.read(files, Path(options.results))
    shapes += [networks.shape(name, model) for name, model in models.items()]
    baselines |= {name: networks.baseline(model, models) for name, model in models.items()}
    whole = _networks(options, models) if {NETWORK, STAGES} & set(options.workloads) and options.device == "cpu" else []
    if not whole and not (shapes and {PRODUCT, LAYER} & set(options.workloads)):
        raise UsageError("nothing to measure: --shapes own needs packed models, by prune-rnn export or --models")
    paper = {each["name"]: each["paper"] for each in entries if "paper" in each}
    return Plan(options, shapes, whole, baselines, paper)


def _networks(options: BenchOptions, models: dict[str, Packed]) -> list[NetworkPlan]:
    wanted = [each for each in layout()["networks"] if options.shapes is None or each["name"] in options.shapes]
    random = [
        NetworkPlan(
            f"network_{each['name']}",
            f"{each['label']}, scale=paper, random weights",
            partial(networks.random, each["model"], "paper", options.sparsity),
        )
        for each in wanted
    ]
    own = [
        NetworkPlan(name, networks.shape(name, model).label, partial(networks.trained, model))
        for name, model in models.items()
    ]
    return random + own
