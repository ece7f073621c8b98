"""torch's ways are all there; that they are right is tested in test_base.py."""

from collections.abc import Callable

import torch

from prune_rnn.bench.job import Product
from prune_rnn.bench.opponents.torch import Torch
from prune_rnn.model.cells import Cells
from prune_rnn.model.recurrence import Activation


def test_every_type_is_there(product: Callable, layer: Callable) -> None:
    names = {"torch float32", "torch bfloat16", "torch int8"}
    assert names <= {each.name for each in Torch().products(product(1))}
    assert names <= {each.name for each in Torch().layers(layer(Cells.rnn.value, Activation.tanh, 1))}
    for cell in (Cells.gru.value, Cells.lstm.value):
        modules = {each.name for each in Torch().layers(layer(cell, Activation.tanh, 1)) if not each.exact}
        name = f"torch.nn.{cell.name.upper()}"
        assert modules == {f"{name} float32 (no inputs)", f"{name} int8 (no inputs)"}


def test_a_zero_matrix_gives_zeros() -> None:
    """Its int8 scale would be zero."""
    for each in Torch().products(Product(weight=torch.zeros(16, 16), x=torch.ones(1, 16))):
        assert not each.run().any(), each.name
