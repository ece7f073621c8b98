"""The paper's Table 2: layers and parameters of a network, from its shapes alone, and what it will be when trained."""

from __future__ import annotations

from tabulate import tabulate

from prune_rnn.analyse.prediction import expected_cer, packed_bytes
from prune_rnn.config import Config
from prune_rnn.engine.quantise import Dtype
from prune_rnn.model.deepspeech2 import meta_model
from prune_rnn.model.layers import layers
from prune_rnn.prune.select import select
from prune_rnn.run.resolve import resolve


def describe(config: Config) -> str:
    """Returns the layer table of the network: shapes of the matrices, parameters, and how many can be pruned; then how
    far it will be pruned, and the size and error to expect."""
    model = meta_model(config.model)
    prunable = {name for group in select(model, config.model.prunable).values() for name in group}
    rows = []
    for layer, named in layers(model):
        shapes = ", ".join(" x ".join(map(str, p.shape)) for _, p in named if p.dim() > 1)
        sizes = {name: p.numel() for name, p in named}
        rows.append((layer, shapes, sum(sizes.values()), sum(sizes[name] for name in sizes.keys() & prunable)))
    rows.append(("all", "", sum(row[2] for row in rows), sum(row[3] for row in rows)))
    head = f"{config.model.name}, {config.model.units} units, scale {config.scale.name}"
    table = tabulate(rows, ["layer", "matrices", "parameters", "prunable"], tablefmt="simple", intfmt=",")
    return f"{head}\n\n{table}\n\n{_expected(config, rows[-1][2], rows[-1][3])}"


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
