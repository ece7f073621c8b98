"""Which parameters are to be pruned: by patterns of their names."""

from __future__ import annotations

from fnmatch import fnmatchcase

from torch import nn

from prune_rnn.usage import UsageError

Weights = dict[str, dict[str, nn.Parameter]]  # layer type -> parameter name -> parameter


def select(model: nn.Module, patterns: dict[str, list[str]]) -> Weights:
    """Returns the parameters to prune: by layer type and name.

    patterns: layer type -> shell-style patterns of parameter names (`recurrent.*.input.weight`); biases and batch norm
    are never matched. ValueError where a pattern matches nothing, a layer type has no pattern, or two of them claim the
    same parameter.
    """
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.dim() > 1}
    chosen: Weights = {}
    owner: dict[str, str] = {}
    for layer_type, type_patterns in patterns.items():
        chosen[layer_type] = {}
        for pattern in type_patterns:
            matches = [name for name in named if fnmatchcase(name, pattern)]
            if not matches:
                raise UsageError(
                    f"prune.layers.{layer_type}: the pattern {pattern!r} matches no parameter; there are: "
                    + ", ".join(named)
                )
            for name in matches:
                if owner.setdefault(name, layer_type) != layer_type:
                    raise UsageError(f"prune.layers: {name} is claimed by both {owner[name]!r} and {layer_type!r}")
                chosen[layer_type][name] = named[name]
        if not chosen[layer_type]:
            raise UsageError(f"prune.layers.{layer_type}: names no pattern; give one or leave the layer type out")
    return chosen
