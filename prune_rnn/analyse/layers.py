"""The paper's Table 2: layers and parameters of a network, from its shapes alone, and what it will be when trained."""

from __future__ import annotations

from typing import NamedTuple

from tabulate import tabulate

from prune_rnn.analyse.prediction import expected_cer, packed_bytes
from prune_rnn.config import Config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.deepspeech2 import ModelConfig
from prune_rnn.model.layers import layers
from prune_rnn.prune.select import select
from prune_rnn.run.resolve import meta_model, resolve


class Size(NamedTuple):
    """A layer: the shapes of its matrices, its parameters, and those of them that can be pruned."""

    layer: str
    shapes: str
    parameters: int
    prunable: int


def sizes(config: ModelConfig) -> list[Size]:
    """Returns the size of each layer of a network, and of all together."""
    model = meta_model(config)
    prunable = {name for group in select(model, config.prunable).values() for name in group}
    found = []
    for layer, named in layers(model):
        shapes = ", ".join(" x ".join(map(str, p.shape)) for _, p in named if p.dim() > 1)
        counts = {name: p.numel() for name, p in named}
        found.append(Size(layer, shapes, sum(counts.values()), sum(counts[name] for name in counts.keys() & prunable)))
    return [*found, Size("all", "", sum(each.parameters for each in found), sum(each.prunable for each in found))]


def describe(config: Config) -> str:
    """Returns the layer table of the network: shapes of the matrices, parameters, and how many can be pruned; then how
    far it will be pruned, and the size and error to expect."""
    rows = sizes(config.model)
    head = f"{config.model.name}, {config.model.units} units, scale {config.scale.name}"
    table = tabulate(rows, ["layer", "matrices", "parameters", "prunable"], tablefmt="simple", intfmt=",")
    return f"{head}\n\n{table}\n\n{_expected(config, rows[-1].parameters, rows[-1].prunable)}"


def _expected(config: Config, parameters: int, prunable: int) -> str:
    resolved, q_source = resolve(config)
    goal: float | None = 0.0
    lines = []
    if phase := resolved.prune.phase():
        goal = getattr(resolved.prune, "prunable_sparsity", None)
        words = resolved.prune.goal(q_source)
        lines.append(f"pruned in epochs {phase[0]:g} to {phase[1]:g} of {config.train.epochs}: {words}")
    if goal is None:  # a threshold was given, and nobody knows how far it will prune
        return lines[0]
    kept = parameters - round(goal * prunable)
    lines.append(
        f"not zero in the end: {kept:,} of {parameters:,} parameters, {100 * (1 - kept / parameters):.1f} % sparse"
    )
    sizes = (f"{packed_bytes(config.model, goal, dtype) / 1000:,.0f} kB in {dtype.value}" for dtype in Dtype)
    lines.append(f"packed file: about {', '.join(sizes)}")
    lines.append(f"test CER: {expected_cer(resolved, goal)}")
    return "\n".join(lines)
