"""The names of layers and parameters in `DeepSpeech2`, for all other Python code.

A recurrent layer has three matrices, INPUT, FORWARD and, where it runs both ways, REVERSE.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

CONV, RECURRENT, ROW_CONV, LINEAR, OUTPUT = "conv", "recurrent", "row_conv", "linear", "output"
INPUT, FORWARD, REVERSE = "input", "recurrent", "recurrent_reverse"
_MATRICES = {RECURRENT, LINEAR, OUTPUT}  # layers whose weights are matrices


def conv(index: int) -> str:
    """Returns the name of a convolution.

    >>> conv(0)
    'conv.0'
    """
    return f"{CONV}.{index}"


def recurrent(index: int) -> str:
    """Returns the name of a recurrent layer.

    >>> recurrent(2)
    'recurrent.2'
    """
    return f"{RECURRENT}.{index}"


def matrix(index: int, part: str) -> str:
    """Returns the name of a matrix, INPUT, FORWARD or REVERSE, of a recurrent layer.

    >>> matrix(2, REVERSE)
    'recurrent.2.recurrent_reverse'
    """
    return f"{recurrent(index)}.{part}"


def weight(name: str) -> str:
    """Returns the name of the parameter that holds the weights of a layer or matrix; a convolution's lie deeper.

    >>> weight(LINEAR), weight(conv(1))
    ('linear.weight', 'conv.1.conv.weight')
    """
    return f"{name}.conv.weight" if name.startswith(f"{CONV}.") else f"{name}.weight"


def is_recurrent(layer: str) -> bool:
    """Whether the layer is a recurrent one.

    >>> [is_recurrent(name) for name in ("recurrent.0", "row_conv")]
    [True, False]
    """
    return layer.startswith(f"{RECURRENT}.")


def matrix_of(parameter: str) -> str | None:
    """Returns the name of the matrix whose weights the parameter holds; None where it holds something else.

    >>> [matrix_of(name) for name in ("recurrent.0.input.weight", "recurrent.0.norm.norm.weight", "output.bias")]
    ['recurrent.0.input', None, None]
    """
    name = parameter.removesuffix(".weight")
    return name if name != parameter and name.split(".")[0] in _MATRICES and norm_of(parameter) is None else None


def norm_of(parameter: str) -> tuple[str, str] | None:
    """Returns the layer and what it is of the layer's batch norm; None where it is of something else.

    >>> norm_of("recurrent.0.norm.norm.running_var"), norm_of("linear_norm.norm.bias"), norm_of("linear.weight")
    (('recurrent.0', 'running_var'), ('linear', 'bias'), None)
    """
    module, _, what = parameter.rpartition(".")
    layer = module.removesuffix("norm.norm")  # a FrameNorm and the norm in it
    return None if layer == module else (layer[:-1], what)


def layers(model: nn.Module) -> Iterator[tuple[str, list[tuple[str, nn.Parameter]]]]:
    """Yields each layer as the paper's Table 2 counts it, with its (full name, parameter) pairs; no two share one."""
    grouped: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in model.named_parameters():
        head, index, *_ = name.split(".")
        layer = f"{head}.{index}" if index.isdigit() else head.removesuffix("_norm")
        grouped.setdefault(layer, []).append((name, parameter))
    yield from grouped.items()
